"""A drop as a file: an organization, its experiences, sequences and distributions, each by its slug.

`reading` makes plain data of a file, `vocabulary` says which names there are and what they take,
`parsing` checks the data against it, `applying` compares with the database and writes what differs.
Nothing that the file leaves out is changed, and nothing is ever deleted.
"""
