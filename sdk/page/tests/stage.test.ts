// @vitest-environment jsdom
import { beforeEach, describe, expect, it, vi } from "vitest";
import { Stage, type Filling } from "../src/stage";

const PAGE = `
<main id="room"></main>
<template data-view="waiting"><h1>Waiting</h1><p data-slot="place"></p><p data-if="why" data-slot="why"></p>
  <div data-bar="progress"></div><button data-do="leave">Leave</button></template>
<template data-view="queue-waiting"><h1>In line</h1><p data-slot="place"></p></template>
<template data-view="form"><h1>Form</h1><form data-do="send"><input name="code" value="123"><button>Send</button></form></template>
<template data-view="choice"><h1>Choose</h1><ul data-list="choices"><template><li><button data-do="choose"><b data-slot="name"></b></button></li></template></ul></template>`;

let stage: Stage;
const room = () => document.getElementById("room")!;
const find = (selector: string) => room().querySelector<HTMLElement>(selector)!;

beforeEach(() => {
  document.body.innerHTML = PAGE;
  vi.stubGlobal("scrollTo", () => undefined);
  stage = new Stage(room());
});

describe("the stage", () => {
  it("shows the kind's own view, else the one of all", () => {
    stage.show(["draw-waiting", "waiting"], {});
    expect(find("h1").textContent).toBe("Waiting");
    stage.show(["queue-waiting", "waiting"], { text: { place: "3" } });
    expect(room().textContent).toContain("In line");
  });

  it("fills anew what is there, without making it anew", () => {
    stage.show(["waiting"], { text: { place: "3", why: "slow" }, bars: { progress: 0.25 } });
    const place = find("[data-slot=place]");
    stage.show(["waiting"], { text: { place: "2" }, bars: { progress: 7 } });
    expect(find("[data-slot=place]")).toBe(place);
    expect(place.textContent).toBe("2");
    expect(find("[data-if=why]").hidden).toBe(true);
    expect(find("[data-bar]").style.getPropertyValue("--share")).toBe("1.0000");
  });

  it("never takes words for markup", () => {
    stage.show(["waiting"], { text: { place: "<img src=x onerror=alert(1)>" } });
    expect(find("[data-slot=place]").children).toHaveLength(0);
  });

  it("moves the focus to what is new, but not at first", () => {
    stage.show(["waiting"], {});
    expect(document.activeElement).toBe(document.body);
    stage.show(["queue-waiting"], {});
    expect(document.activeElement).toBe(find("h1"));
  });

  it("does what a button says, as it is now", () => {
    const [before, now] = [vi.fn(), vi.fn()];
    stage.show(["waiting"], { does: { leave: before } });
    stage.show(["waiting"], { does: { leave: now } });
    find("button").click();
    expect(before).not.toHaveBeenCalled();
    expect(now).toHaveBeenCalledOnce();
  });

  it("hands a form's values over", () => {
    const send = vi.fn((form: FormData) => form.get("code"));
    stage.show(["form"], { does: { send } });
    find("form").dispatchEvent(new Event("submit", { bubbles: true, cancelable: true }));
    expect(send).toHaveReturnedWith("123");
  });

  it("repeats items, and keeps those that stay", () => {
    const chosen: string[] = [];
    const items = (...names: string[]): Filling => ({
      lists: { choices: names.map((name) => ({ text: { name }, does: { choose: () => chosen.push(name) } })) },
    });
    stage.show(["choice"], items("one", "two"));
    const second = room().querySelectorAll("button")[1]!;
    stage.show(["choice"], items("one", "two"));
    expect(room().querySelectorAll("button")[1]).toBe(second);
    second.click();
    stage.show(["choice"], items("three"));
    find("button").click();
    expect(chosen).toEqual(["two", "three"]);
  });
});
