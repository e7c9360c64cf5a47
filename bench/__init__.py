"""The speed table, measured: each figure beside its yardstick in the same run. `make bench`."""
