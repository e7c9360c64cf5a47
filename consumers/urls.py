"""`/auth` and `/consumers`."""

from rest_framework.routers import SimpleRouter

from consumers.api import AuthViewSet, ConsumerViewSet

router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("auth", AuthViewSet, basename="auth")
router.register("consumers", ConsumerViewSet, basename="consumer")

urlpatterns = router.urls
