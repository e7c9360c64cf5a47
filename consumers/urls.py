"""`/auth`."""

from rest_framework.routers import SimpleRouter

from consumers.api import AuthViewSet

router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("auth", AuthViewSet, basename="auth")

urlpatterns = router.urls
