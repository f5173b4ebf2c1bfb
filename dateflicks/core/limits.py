"""Every number of the rules, with its unit and its reason. Settings may override those that name a setting.

Nothing is computed here: a number that follows from others is written where it is used.
"""

from typing import Final

# --- what travels -----------------------------------------------------------------------------------------------
POSITION_MAX_SECONDS: Final = 172_800.0  # two days: longer than any film, short enough to refuse nonsense
FRAME_MAX_BYTES: Final = 16 * 1024  # one live frame; the largest real one (eight participants) is about 3 KiB
BODY_MAX_BYTES: Final = 64 * 1024  # one REST body
WRITE_BUFFER_MAX_BYTES: Final = 256 * 1024  # a peer further behind than this in reading is dropped (1013)
TEXT_MAX_CHARACTERS: Final = 4_000  # one chat message
REACTION_MAX_CHARACTERS: Final = 32  # an emoji, however many joined parts it has, or a short name
PREDICTION_MAX_CHARACTERS: Final = 500  # what is predicted
OPTION_MAX_CHARACTERS: Final = 80  # one of its options
OPTIONS_MAX: Final = 6
PREDICTIONS_PER_SESSION: Final = 100  # one a minute of a film
TITLE_MAX_CHARACTERS: Final = 300  # a film's title
URL_MAX_CHARACTERS: Final = 2_048  # what browsers and proxies carry without cutting
DETAILS_MAX_BYTES: Final = 4_096  # a session's details, encoded
PAGE_DEFAULT: Final = 50
PAGE_MAX: Final = 200

# --- people -----------------------------------------------------------------------------------------------------
NAME_MIN_CHARACTERS: Final = 2
NAME_MAX_CHARACTERS: Final = 32
PASSWORD_MIN_CHARACTERS: Final = 8
PASSWORD_MAX_CHARACTERS: Final = 256  # argon2 reads all of it: unbounded input would be a way to burn our CPU
PARTICIPANTS_MAX: Final = 8  # a small party; the wire keeps host and guest
TOKEN_LIFETIME_SECONDS: Final = 30 * 86_400.0  # one sign-in lasts a month of evenings
TICKET_LIFETIME_SECONDS: Final = 24 * 3_600.0  # a film and its pauses; a new one comes with each session event
INVITATION_LIFETIME_SECONDS: Final = 24 * 3_600.0  # a link code works for a day, once
FRIENDS_MAX: Final = 200  # names on one person's list: one page of it
SIGN_IN_TRIES_PER_NAME: Final = 10  # in SIGN_IN_WINDOW_SECONDS, then 429
SIGN_IN_TRIES_PER_ADDRESS: Final = 30
SIGN_IN_WINDOW_SECONDS: Final = 300.0
SIGN_INS_PER_NAME: Final = 60  # with the right password, in the same window: each costs a hash and a record
SIGN_INS_PER_ADDRESS: Final = 300  # the same of one address: a school behind it; a tenth of the hashes there can be
SIGN_INS_PER_PERSON: Final = 50  # at a time; one more ends the oldest: nobody has so many machines
ACCOUNTS_PER_ADDRESS: Final = 300  # in ACCOUNTS_WINDOW_SECONDS: a school behind one address; each costs a hash
ACCOUNTS_WINDOW_SECONDS: Final = 600.0

# --- connections ------------------------------------------------------------------------------------------------
FRAMES_PER_SECOND: Final = 20.0
FRAMES_BURST: Final = 60
CHAT_PER_SECOND: Final = 4.0  # one person's messages, over all their connections: faster than anybody types
CHAT_BURST: Final = 20
ASKED_PER_SECOND: Final = 10.0  # of one address, of a service that needs no token: searching at every key typed
ASKED_BURST: Final = 60
SOCKETS_PER_PERSON: Final = 4  # per service; one more replaces the oldest (4409)
SOCKETS_PER_ADDRESS: Final = 50
CONNECTIONS_PER_PROCESS: Final = 8_000  # of any kind, 25 kB each: 200 MB, below the files that a process may open
REQUEST_DEADLINE_SECONDS: Final = 5.0  # from accept, or from the last answer's first new byte, to a whole request
SILENCE_SECONDS: Final = 20.0  # a peer that sends nothing, not even a pong, for this long is closed
PING_INTERVAL_SECONDS: Final = 8.0  # twice within the silence limit, so that one lost pong does no harm
QUIET_PING_INTERVAL_SECONDS: Final = 15.0  # where little is said and nothing is measured: a pong has 5 s to come back

# --- playback ---------------------------------------------------------------------------------------------------
CONFIRM_SECONDS: Final = 60.0  # without an answer the previous status comes back
SEEK_TOLERANCE_SECONDS: Final = 0.501  # a confirming seek may be half a second off, and the millisecond of telling it
BAND_SECONDS: Final = 0.150  # inside it noise lives (10 ms) and followers steer; outside it the timeline may move
BAND_HOLD_SECONDS: Final = 1.0  # how long somebody must stay outside the band before it does
REPORT_FRESH_SECONDS: Final = 4.0  # older than two report intervals: the participant is not counted
MINIMUM_INTERVAL_SECONDS: Final = 5.0  # at most one pull-back by the minimum rule in this time
PULL_BACK_BUDGET_SECONDS: Final = 10.0  # of film, in PULL_BACK_WINDOW_SECONDS; beyond it the member is excused
PULL_BACK_WINDOW_SECONDS: Final = 60.0
EXCUSE_SECONDS: Final = 30.0
STALL_GRACE_SECONDS: Final = 0.5  # shorter stalls are repaired by steering and nobody notices
WAIT_SECONDS: Final = 10.0  # the others wait this long for one who stalls, then go on
SEEK_READY_SECONDS: Final = 5.0  # after a confirmed seek, how long the slowest may take to be ready
LEAD_FACTOR: Final = 1.5  # a scheduled start lies this many one-way times ahead,
LEAD_EXTRA_SECONDS: Final = 0.100  # plus this,
LEAD_MIN_SECONDS: Final = 0.250  # and within these bounds
LEAD_MAX_SECONDS: Final = 2.0
EVENT_INTERVAL_SECONDS: Final = 5.0  # a timecode is told at least this often
RECORD_INTERVAL_SECONDS: Final = 5.0  # and its record written, while it plays
LENGTH_TOLERANCE_SECONDS: Final = 2.5  # two copies of one film may differ by credits; more is worth a warning
