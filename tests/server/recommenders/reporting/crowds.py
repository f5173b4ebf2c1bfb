"""Simulated people, by whom reports are tried: many experiments at once as sums, or one experiment person by person.

A person wants to watch something on a day with a chance of their own, their appetite; whether they take a film of the
list, and which, goes by how good the films are beside all else that they could do. Whatever is drawn comes from the
generator that is handed in.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from dateflicks.core.experiments.assignment import Experiment, Mode, assignment_of
from dateflicks.core.experiments.interleaving import Pick, team_draft
from dateflicks.server.recommenders.reporting.evidence import Evening, Evidence, Shown, day_of
from dateflicks.server.recommenders.reporting.outcomes import DAY, HOUR
from dateflicks.server.recommenders.reporting.statistics import Moments

FILMS: Final = 10  # in each list
START: Final = 1_735_729_200.0  # the first list is shown on a day at eleven, UTC


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """How people are. `treatment` is how good the second arm's films are, those of the first being 1, and `outside`
    how good it is to take none of the list. Appetites are spread around their mean by a beta distribution.
    """

    appetite: float = 0.4
    evenness: float = 2.0  # of appetites: the higher, the more alike people are
    treatment: float = 1.0
    outside: float = 1.0


def newcomers(
    rng: np.random.Generator,
    *,
    experiments: int,
    days: int,
    per_day: int,
    rate: float,
    effect: float = 0.0,
    share: float = 0.5,
) -> Moments:
    """Experiments × days × two arms: each day new people come, `share` of them to the second arm, one list for each."""
    came = rng.binomial(per_day, share, (experiments, days))
    units = np.stack([per_day - came, came], axis=-1)
    taken = rng.binomial(units, [rate, rate + effect])
    people, outcomes = (np.cumsum(one, axis=1).astype(np.float64) for one in (units, taken))
    return Moments(people, people, outcomes, people, outcomes, outcomes)


def regulars(
    rng: np.random.Generator,
    *,
    experiments: int,
    days: int,
    people: int,
    rate: float,
    evenness: float = 2.0,
    by_list: bool = False,
) -> Moments:
    """Experiments × days × two arms: the same people, half in each arm, see a list each day, each with their own rate.

    `by_list` counts each list as if it were another person's, which is wrong.
    """
    rates = rng.beta(rate * evenness, (1 - rate) * evenness, (experiments, 1, 2, people // 2))
    taken = np.cumsum(rng.random((experiments, days, 2, people // 2)) < rates, axis=1).astype(np.float64)
    day = np.arange(1.0, days + 1)[None, :, None]
    units, outcomes = np.full(taken.shape[:3], float(people // 2)), taken.sum(-1)
    if by_list:
        lists = units * day
        return Moments(lists, lists, outcomes, lists, outcomes, outcomes)
    return Moments(units, units * day, outcomes, units * day**2, np.square(taken).sum(-1), outcomes * day)


def lived(
    rng: np.random.Generator, experiment: Experiment, crowd: Crowd, *, people: int, days: int, share_lost: float = 0.0
) -> Evidence:
    """What so many people of a crowd would leave behind in an experiment of two arms, one list a day for each.

    `share_lost` of those in the second arm are lost on the way, as by a fault in the program.
    """
    first, second = (one.name for one in experiment.variants)
    ranked = {arm: [f"vid_{arm}{place}" for place in range(FILMS)] for arm in (first, second)}
    quality = {first: 1.0 / FILMS, second: crowd.treatment / FILMS}
    evidence = Evidence([])
    for number in range(people):
        unit = f"usr{number}" if experiment.unit == "user" else f"usr{number}a:usr{number}b"
        part = assignment_of(experiment, unit)
        arm = part.variant.name if part is not None and part.variant is not None else ""
        if part is None or (arm == second and rng.random() < share_lost):
            continue
        appetite = rng.beta(crowd.appetite * crowd.evenness, (1 - crowd.appetite) * crowd.evenness)
        for day in range(days):
            at = START + day * DAY + number / 10
            if experiment.mode is Mode.INTERLEAVE:
                picks = team_draft(ranked, FILMS, salt=experiment.salt, unit=unit, day=day_of(at))
            else:
                picks = [Pick(film, arm) for film in ranked[arm]]
            films = {pick.item: pick.team or "" for pick in picks}
            evidence.shown.append(Shown(unit, arm, at, films, first=picks[0].team or ""))
            goods = np.array([quality[team] for team in films.values()])
            if rng.random() < appetite * goods.sum() / (goods.sum() + crowd.outside):
                film = list(films)[rng.choice(len(films), p=goods / goods.sum())]
                evening = Evening(film, at + HOUR, at + 2 * HOUR, is_finished=rng.random() < 0.8)
                evidence.evenings.setdefault(unit, []).append(evening)
    evidence.shown.sort(key=lambda one: (one.at, one.unit))
    return evidence
