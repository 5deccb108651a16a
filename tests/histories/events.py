"""What may happen next in a history; what stands here more often happens more often."""

from collections.abc import Callable

from tests.histories import changes, moves, others
from tests.histories.world import World

Event = Callable[[World], None]
CHANGES: tuple[Event, ...] = (
    *(changes.seats,) * 6,
    changes.price,
    changes.own_margin,
    changes.customer_margins,
    *(changes.pause,) * 2,
    changes.cancel,
    changes.rename,
    moves.renew,
    moves.move,
    moves.part,
    moves.hand_over,
)
OTHERS: tuple[Event, ...] = (
    others.unmap,
    others.undo,
    others.charge,
    others.extend,
    others.forget_contracts,
    others.change_policies,
    others.sync,
    *(others.edit,) * 2,
    *(others.post,) * 2,
)
