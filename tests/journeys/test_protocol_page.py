"""The page on the wire protocol, played: whoever writes a client by it is told what it says."""

from pathlib import Path

from tests.journeys.conversation import Conversation, examples_of
from tests.journeys.deployment import Deployment

PAGE = Path(__file__).parents[2] / "docs" / "protocol.md"


async def test_what_the_page_shows_is_what_happens(deployment: Deployment) -> None:
    examples = examples_of(PAGE)
    assert len(examples) >= 15, "the examples are there, and are found"
    conversation = Conversation(deployment)
    try:
        for example in examples:
            await conversation.play(example)
    finally:
        await conversation.close()
