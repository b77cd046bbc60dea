"""The composition root: settings, store, feed and broker become a running engine. Only this room knows everybody.

Nothing is loaded by its name alone: a login, which needs none of the engine, must not wait for one.
"""
