"""SIP: messages, transactions, dialogs, sessions, registrar. Synchronous; imports only the kernel.

The face is :mod:`sip.stack`; what it is told is in :mod:`sip.settings`, what it tells in :mod:`sip.events`.
"""
