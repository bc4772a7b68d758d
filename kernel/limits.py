"""Every bound of a node on what a stranger can send or make grow, with its reason."""

# SIP messages. 64 KiB is the largest UDP datagram; applied before anything is split.
SIP_MESSAGE_MAX = 65_535
SIP_BODY_MAX = 16_384  # bytes that a body may have; a description of a browser has about 6,000
SIP_HEADERS_MAX = 256  # header lines; the RFC 4475 torture messages stay below 40
SIP_HEADER_LINE_MAX = 8_192  # bytes after unfolding; a header line of a long Route set is about 1,000
SIP_VIAS_MAX = 70  # Max-Forwards starts at 70, so no honest message has more
SIP_ADDRESSES_MAX = 256  # in one header, as many as lines; a route set has one a hop, at most 70
SDP_LINES_MAX = 512
SDP_MEDIA_MAX = 16

# Registrar.
CONTACTS_PER_AOR_MAX = 10
REGISTER_EXPIRES_MIN = 60.0
REGISTER_EXPIRES_MAX = 7_200.0
NONCE_LIFE = 300.0  # seconds a digest nonce is good for

# Streams (TCP).
STREAM_CONNECTIONS_MAX = 4_096
STREAM_IDLE_MAX = 600.0  # seconds without a byte before an idle connection is closed
STREAM_FIRST_REQUEST_MAX = 30.0  # seconds a stranger may stay silent after connecting

# JSON-RPC.
RPC_LINE_MAX = 1_048_576  # bytes of one request line
RPC_BATCH_MAX = 100
RPC_CONNECTIONS_MAX = 4_096  # one per desk, for more seats than one process serves
RPC_BACKLOG_MAX = 4_194_304  # bytes unsent to a slow reader before it is disconnected
RPC_NESTING_MAX = 32
SESSION_RESUME_AFTER = 60.0  # seconds a lost session may be resumed
STRANGER_LINE_MAX = 16_384  # bytes; who may only sign in has nothing longer to say
FAILED_SIGN_INS_MAX = 10  # of one connection or for one seat, within
FAILED_SIGN_INS_WITHIN = 60.0  # seconds
FAILED_SEATS_MAX = 4_096  # seats, true or invented, whose failures are remembered

# Callbacks and follow-ups that are open, of one tenant: more than its seats work off in a week.
CALLBACKS_MAX = 10_000

# Numbers on one list of callers; about 50 MB where all are in use.
LIST_ENTRIES_MAX = 100_000

# Events.
EVENT_BUFFER_MAX = 20_000  # events kept for resume

# Counters.
INTERVAL = 900  # seconds of wall time that are counted together
INTERVALS_MAX = 672  # kept in memory of a queue, a level, a tenant: seven days; the tables have them all
SEAT_INTERVALS_MAX = 96  # kept of a seat: a day, about 50 kB
