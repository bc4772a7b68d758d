"""What the media plane is told. Frozen; built by ``config/`` from text."""

import msgspec


class MediaSettings(msgspec.Struct, frozen=True):
    """Where streams live and what they may carry."""

    address: str = "127.0.0.1"  # workers bind here
    advertise: str = ""  # public address behind NAT, for SDP; default: address
    ports: tuple[int, int] = (20000, 29998)  # RTP on even ports, RTCP on the next
    workers: int = 1  # 0: in the switch's own process
    codecs: tuple[str, ...] = ("PCMU", "PCMA")
    ports_ahead: int = 64  # port pairs a worker keeps bound in advance of need
    never_send_to: tuple[
        tuple[str, int], ...
    ] = ()  # our SIP and RPC listeners; 0.0.0.0: any of our addresses
    sounds: tuple[tuple[str, bytes], ...] = ()  # names and u-law of what there is beside the shipped ones
    rtp_timeout: float = 60.0  # seconds without a packet before StreamTimedOut; 0: never
    recordings: str = ""  # folder of the recordings; "": of the process, for tests
