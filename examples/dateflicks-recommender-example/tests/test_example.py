"""Whether the recommender is what a recommender should be, on people whose tastes are known."""

from dateflicks_recommender_example import TogetherRecommender

from dateflicks.testing.recommenders import check_recommender


def test_it_is_what_a_recommender_should_be():
    check_recommender(TogetherRecommender())
