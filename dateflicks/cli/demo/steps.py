"""The demo's steps, in order, with the names that scripts may rely on."""

from collections.abc import Sequence

from dateflicks.cli.demo import handshake, talk, trials
from dateflicks.cli.demo.story import Step


def steps(confirm_seconds: float) -> Sequence[Step]:
    """All of them; one waits for as long as a change may wait for its answer."""
    watching = ("connect",)
    return (
        Step("services", "Starting the services", handshake.services, seconds=90.0),
        Step("register", "Making two accounts", handshake.register, ("services",)),
        Step("invite", "The host invites the guest", handshake.invite, ("register",)),
        Step("accept", "The guest answers", handshake.accept, ("invite",)),
        Step("connect", "Two players open the film", handshake.connect, ("accept",)),
        Step("play", "Play, with the guest's consent", trials.play, watching),
        Step("drift", "How far apart they are", trials.measure, watching),
        Step("chat", "They talk about what they see", talk.chat, watching),
        Step("predict", "Both call it, and neither sees the other's call", talk.predict, watching),
        Step("settle", "The film locks it, and both say how it ended", talk.settle, ("predict",)),
        Step("seek", "Both go on elsewhere", trials.seek, watching),
        Step("pause-confirmed", "A pause that is agreed to", trials.pause_confirmed, watching),
        Step("pause-ignored", "A pause that nobody answers", trials.pause_ignored, watching, 40.0 + confirm_seconds),
        Step("freeze", "The guest's player freezes for 3 s", trials.freeze, watching),
        Step("service-killed", "The timecode service is killed and restarted", trials.service_killed, watching, 60.0),
        Step("end", "Both stop", trials.end, watching),
    )
