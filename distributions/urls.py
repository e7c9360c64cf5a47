"""One router, a prefix a kind."""

from rest_framework.routers import SimpleRouter

from distributions.queues.api import QueueViewSet

router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("queues", QueueViewSet, basename="queue")

urlpatterns = router.urls
