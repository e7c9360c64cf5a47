"""`GET /organizations/current`: the tenant's public settings, and none of the others."""

from tests.world import ApiClient, World, assert_error, make_world


def test_the_organization_of_the_credential(world: World) -> None:
    organization = world.organization
    expected: dict[str, object] = {
        "id": organization.id,
        "name": organization.name,
        "slug": organization.slug,
        "logoUrl": None,
        "timeZone": "UTC",
        "currencyCode": "EUR",
        "languageCode": "en",
        "theme": None,
        "allowedOrigins": [],
    }
    for client in (world.shop_front(), world.server(), world.consumer()):
        answer = client.get("/organizations/current")
        assert (answer.status_code, answer.json()) == (200, expected)
    stranger = make_world()
    assert stranger.shop_front().get("/organizations/current").json()["id"] == stranger.organization.id


def test_what_is_set_is_shown(world: World) -> None:
    found = world.organization
    found.logo_url = "https://cdn.example.com/logo.png"
    found.theme = {"accentColor": "#fff", "borderRadius": "8px"}
    found.allowed_origins = ["https://shop.example.com", "*.example.org"]
    found.save()
    body = world.shop_front().get("/organizations/current").json()
    assert body["logoUrl"] == found.logo_url
    assert body["theme"] == found.theme
    assert body["allowedOrigins"] == found.allowed_origins


def test_nobody_sees_it_without_a_key(world: World) -> None:
    assert_error(ApiClient({}).get("/organizations/current"), 401, "Authentication required")
    assert_error(
        world.shop_front().get(f"/organizations/{world.organization.id}"), 404, "Not found", "NOT_FOUND"
    )
