"""`/auth/otp`."""

from rest_framework.routers import SimpleRouter

from auth_otp.api import OtpViewSet

router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("auth/otp", OtpViewSet, basename="otp")

urlpatterns = router.urls
