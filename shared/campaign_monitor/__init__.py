"""The destination as the service has it: how it is called, at what pace, and what each answer means.

``account.py`` keeps the port; only ``app.py`` knows this room.
"""
