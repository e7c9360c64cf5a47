"""What staff see of whole launches: the console's home, an experience as one picture, its checklist, its
file.

Nothing is decided here, and nothing counted that is not counted already: however many distributions there
are, a page asks PostgreSQL the same few questions.
"""
