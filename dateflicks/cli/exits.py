"""Exit codes: one place, one meaning each."""

from enum import IntEnum


class Exit(IntEnum):
    """What the process tells the shell; scripts may rely on every one of these."""

    OK = 0
    FAILED = 1  # something went wrong that no other code names
    USAGE = 2  # what was typed, or a setting, is wrong
    NOT_FOUND = 3
    SIGN_IN = 4  # nobody is signed in, or this person may not
    REFUSED = 5  # at odds with the present state: rejected, already answered
    UNREACHABLE = 6  # a service, or its database, is out of reach
    TIMED_OUT = 7  # somebody was waited for and did not answer
    PARTLY = 8  # done for some, not for all
    PROBLEMS = 9  # a check found problems
    CUT_OFF = 70  # services were told to stop, and something did not let go
    INTERRUPTED = 130  # Ctrl-C
    TERMINATED = 143  # SIGTERM came twice


MEANINGS: dict[Exit, str] = {
    Exit.OK: "done",
    Exit.FAILED: "failed, for a reason that no other code names",
    Exit.USAGE: "what was typed, or a setting, is wrong",
    Exit.NOT_FOUND: "there is no such thing, or it is not yours to know of",
    Exit.SIGN_IN: "nobody is signed in, or this is not yours to do",
    Exit.REFUSED: "at odds with the present state: already answered, already over, name taken",
    Exit.UNREACHABLE: "a service, or its database, is out of reach",
    Exit.TIMED_OUT: "somebody was waited for and did not answer in time",
    Exit.PARTLY: "done for some, not for all",
    Exit.PROBLEMS: "a check found problems",
    Exit.CUT_OFF: "services were told to stop, something did not let go in time, and was cut off",
    Exit.INTERRUPTED: "interrupted by Ctrl-C",
    Exit.TERMINATED: "told twice to stop (SIGTERM), and stopped at once",
}
