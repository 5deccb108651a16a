"""How long after a change is confirmed it is proved in Autotask: the queue is idle, the far side takes its time."""

import statistics

from portal.settings import Q_CLUSTER
