"""`/experiences` and `/organizations`."""

from rest_framework.routers import SimpleRouter

from experiences.api import ExperienceViewSet, OrganizationViewSet

router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("experiences", ExperienceViewSet, basename="experience")
router.register("organizations", OrganizationViewSet, basename="organization")

urlpatterns = router.urls
