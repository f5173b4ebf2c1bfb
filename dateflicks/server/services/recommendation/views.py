"""Places of a list as they travel: with titles, how well they fit each of those who asked, and a sentence on why."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from dateflicks.protocol.recommendations import Basis, Fit, Reason, RecommendationBody
from dateflicks.server.services.recommendation.films import Film
from dateflicks.server.services.recommendation.folding import Reasons
from dateflicks.server.services.recommendation.ranking import DECIMALS, Pick, Ranking, worth_of

SOMEBODY: Final = "they"  # whose name nobody knows
_ARRIVED: Final = "because it has just arrived"
_SENTENCES: Final[Mapping[Basis, str]] = {
    "own": "because it suits what you have watched",
    "pair": "because it suits both of you",
    "content": "because it is like what you have watched",
    "popular": "because many people here watch it",
    "new": "because it is among the newest films",
    "none": "it is not among the films to recommend now",
}


def named(pick: Pick) -> Iterable[str]:
    """The films that a place speaks of."""
    yield pick.video_id
    for why in pick.whys:
        for video_id, _ in why:
            yield video_id


def body_of(
    ranking: Ranking,
    place: int,
    pick: Pick,
    films: Mapping[str, Film],
    viewer: str,
    names: Mapping[str, str],
) -> RecommendationBody:
    """A place as one of its people sees it: their own fit comes first. `films` holds all that it speaks of."""
    film = films[pick.video_id]
    order = sorted(range(len(ranking.people)), key=lambda at: ranking.people[at] != viewer)
    fits = [
        Fit(
            user_id=ranking.people[at],
            fit=None if pick.fits[at] is None else round(min(max(pick.fits[at] or 0.0, 0.0), 1.0), DECIMALS),
            reasons=reasons_of(pick.whys[at], films),
            has_seen=film.id in ranking.seen[ranking.people[at]],
        )
        for at in order
    ]
    return RecommendationBody(
        user_id=viewer,
        video_id=film.id,
        score=worth_of(place, ranking.known),
        why=sentence(pick, fits, viewer, names, ranking.liked),
        variant=ranking.label if ranking.variant or pick.team else pick.made_by,
        fits=fits,
        basis=pick.basis,
        is_new=pick.is_new,
        title=film.title,
        year=film.year,
        duration_seconds=film.duration_seconds,
        playable=film.playable,
    )


def reasons_of(why: Reasons, films: Mapping[str, Film]) -> list[Reason]:
    """The films that weigh most, those of which anything is known."""
    return [
        Reason(video_id=films[one].id, title=films[one].title, weight=round(min(max(share, 0.0), 1.0), DECIMALS))
        for one, share in why
        if one in films
    ]


def sentence(
    pick: Pick,
    fits: Sequence[Fit],
    viewer: str,
    names: Mapping[str, str],
    liked: Mapping[str, frozenset[str]],
) -> str:
    """Why, for people. `liked` are films of which somebody has only said so: nobody is told that they watched them."""
    if pick.is_new:
        return _ARRIVED
    told = [(fit.user_id, fit.reasons) for fit in fits if fit.reasons]
    if not told:
        return _SENTENCES[pick.basis]
    most = 2 if len(fits) == 1 else 1  # of two people one film each says enough
    done = [(user_id, _done(reasons[:most], liked[user_id])) for user_id, reasons in told]
    if len(done) == 2 and done[0][1] == done[1][1]:
        return f"because you both {done[0][1]}"
    parts = [f"{'you' if user_id == viewer else names.get(user_id) or SOMEBODY} {what}" for user_id, what in done]
    return "because " + ", and ".join(parts)


def _done(reasons: Sequence[Reason], liked: frozenset[str]) -> str:
    """What somebody did with these films: `watched Charade and liked M`."""
    verbs = ["liked" if reason.video_id in liked else "watched" for reason in reasons]
    return " and ".join(
        reason.title if at and verbs[at - 1] == verb else f"{verb} {reason.title}"
        for at, (reason, verb) in enumerate(zip(reasons, verbs, strict=True))
    )
