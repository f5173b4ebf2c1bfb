"""Experiments in lists: whose list a unit sees, no gap where an arm is off, and lists that arms take turns in."""

from dataclasses import replace

import pytest

from dateflicks.core.experiments.assignment import State, Unit
from dateflicks.protocol.recommendations import RecommendationsQuery
from dateflicks.server.recommendation.experiments import Experiments
from dateflicks.server.recommendation.records import EVERYBODY
from dateflicks.settings.recommendation import ExperimentSettings, RecommendationSettings, VariantSettings
from tests.server.services.recommendation.scene import NOON, Scene, somebody

pytestmark = pytest.mark.asyncio(loop_scope="module")

FILMS = ("Charade", "The General", "Nosferatu", "Vampyr", "Ordet", "M")


def compared(*algorithms: str, **changes: object) -> RecommendationSettings:
    """Settings with one experiment, whose arms are called after their algorithms."""
    variants = {one: VariantSettings(algorithm=one) for one in algorithms}
    experiment = ExperimentSettings(variants=variants, **changes)  # type: ignore[arg-type]  # named by tests
    return RecommendationSettings(experiments={"compared": experiment})


def of_arm(scene: Scene, variant: str) -> str:
    """Somebody whom the experiment has put into this arm."""
    while True:
        found = somebody()
        if scene.service._choosing.plan(Unit.USER, found).arms[0].variant == variant:
            return found


async def change(scene: Scene, **changes: object) -> None:
    await Experiments(scene.database).change("compared", lambda one: replace(one, **changes))  # type: ignore[arg-type]
    await scene.look()


async def test_each_sees_the_list_of_their_arm(scene: Scene) -> None:
    await scene.films(*FILMS)
    scene.begin(compared("blend", "edlae"))
    await scene.look()
    ana, bea = of_arm(scene, "blend"), of_arm(scene, "edlae")
    await scene.run("blend", {ana: ["Charade"], bea: ["Charade"]})
    await scene.run("edlae", {ana: ["Vampyr"], bea: ["Vampyr"]})
    for user, title, arm in ((ana, "Charade", "blend"), (bea, "Vampyr", "edlae")):
        page = await scene.page(user)
        assert (page.items[0].title, page.items[0].variant, page.variant) == (
            title, f"compared/{arm}", f"compared/{arm}",
        )  # fmt: skip


async def test_an_experiment_keeps_the_version_that_it_began_with(scene: Scene) -> None:
    await scene.films(*FILMS)
    scene.begin(compared("blend", "edlae"))
    await scene.look()
    ana = of_arm(scene, "blend")
    await scene.run("blend", {ana: ["Charade"]}, at=NOON - 300)
    await scene.run("blend", {ana: ["Vampyr"]}, version="2", at=NOON - 200)
    assert (await scene.listed(ana))[0] == "Charade"
    await change(scene, state=State.STOPPED)
    assert (await scene.listed(ana))[0] == "Vampyr"


async def test_an_arm_without_a_run_or_switched_off_leaves_no_gap(scene: Scene) -> None:
    await scene.films(*FILMS)
    scene.begin(compared("blend", "edlae"))
    await scene.look()
    bea = of_arm(scene, "edlae")
    await scene.run("blend", {bea: ["Charade"]})
    page = await scene.page(bea)
    assert (page.items[0].title, page.variant) == ("Charade", "compared/edlae")
    experiment = await Experiments(scene.database).get("compared")
    assert experiment is not None
    blend, edlae = experiment.variants
    await change(scene, variants=(blend, replace(edlae, weight=0.0)))
    page = await scene.page(bea)
    assert (page.items[0].title, page.variant) == ("Charade", "compared/blend")
    await change(scene, variants=(replace(blend, weight=0.0), replace(edlae, weight=0.0)))
    page = await scene.page(bea)
    assert (page.items[0].title, page.variant) == ("Charade", "blend 1")


async def test_what_the_settings_switch_off_stops_and_what_cannot_be_run_is_left_out(scene: Scene) -> None:
    await scene.films(*FILMS)
    scene.begin(compared("blend", "edlae"))
    await scene.look()
    assert scene.service._choosing.plan(Unit.USER, somebody()).experiment is not None
    scene.begin(compared("blend", "edlae", enabled=False))
    await scene.look()
    assert scene.service._choosing.plan(Unit.USER, somebody()).experiment is None
    assert scene.service.condition == "no run of blend yet; experiments: 0"
    scene.begin(RecommendationSettings(experiments={"2nd": ExperimentSettings(variants={})}))
    await scene.look()
    assert await scene.listed(somebody())


async def test_interleaved_arms_take_turns_and_each_film_knows_whose_it_is(scene: Scene) -> None:
    await scene.films(*FILMS)
    scene.begin(compared("blend", "edlae", mode="interleave"))
    await scene.look()
    ana = somebody()
    await scene.run("blend", {ana: ["Charade", "The General", "Nosferatu"]})
    await scene.run("edlae", {ana: ["Vampyr", "Ordet", "Charade"]})
    page = await scene.page(ana)
    assert page.variant == "compared/interleaved"
    assert {one.title for one in page.items[:2]} in ({"Charade", "Vampyr"}, {"Charade", "Vampyr"})
    assert len({one.title for one in page.items}) == len(page.items)
    ranking = scene.service._rankings.last((ana,))
    assert ranking is not None
    assert {pick.team for pick in ranking.picks[:4]} == {"blend", "edlae"}
    again = await scene.page(ana)
    assert [one.title for one in again.items] == [one.title for one in page.items]
    await scene.tell(ana, "Vampyr", "shown", position=1)
    (exposure,) = await scene.exposures(ana)
    assert (exposure["experiment"], exposure["variant"]) == ("compared", "edlae")


async def test_interleaved_arms_of_which_one_has_nothing_are_a_whole_list(scene: Scene) -> None:
    await scene.films(*FILMS)
    scene.begin(compared("blend", "edlae", mode="interleave"))
    await scene.look()
    ana, bea = somebody(), somebody()
    await scene.run("blend", {ana: ["Charade", "Nosferatu"]})
    await scene.run("popularity", {EVERYBODY: ["M"]})
    assert set((await scene.listed(ana))[:2]) == {"Charade", "Nosferatu"}
    assert (await scene.listed(bea))[0] == "M"


async def test_what_is_live_is_noticed_without_being_asked(scene: Scene) -> None:
    await scene.films(*FILMS)
    ana = somebody()
    service = scene.begin(RecommendationSettings(poll_seconds=0.05))
    await service.start()
    try:
        run = await scene.run("blend", {ana: ["Charade"]})
        assert service.condition == f"blend {run.version}; experiments: 0"
        page = await service._handler.page(ana, RecommendationsQuery())
        assert page.items[0].title == "Charade"
    finally:
        await service.stop()
