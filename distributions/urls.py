"""One router, a prefix a kind."""

from rest_framework.routers import SimpleRouter

from distributions.appointments.api import AppointmentViewSet
from distributions.auctions.api import AuctionViewSet
from distributions.draws.api import DrawViewSet
from distributions.queues.api import QueueViewSet
from distributions.timed_releases.api import TimedReleaseViewSet
from distributions.waitlists.api import WaitlistViewSet

router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("queues", QueueViewSet, basename="queue")
router.register("draws", DrawViewSet, basename="draw")
router.register("auctions", AuctionViewSet, basename="auction")
router.register("timed-releases", TimedReleaseViewSet, basename="timed-release")
router.register("appointments", AppointmentViewSet, basename="appointment")
router.register("waitlists", WaitlistViewSet, basename="waitlist")

urlpatterns = router.urls
