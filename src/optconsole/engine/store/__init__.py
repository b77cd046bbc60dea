"""The durable room: the journal of facts and the read tables beside it.

Nothing is imported here: ``lock`` and ``home`` stay light for those who need no database.
"""
