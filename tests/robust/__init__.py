"""Random and hostile use: nothing may hang, leak, run twice or give a wrong number.

The suite runs a small seeded part. ``python -m tests.robust --minutes N`` runs campaigns with fresh seeds.
"""
