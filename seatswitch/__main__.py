"""``python -m seatswitch``: the same as the ``seatswitch`` command."""

from seatswitch import main

main()
