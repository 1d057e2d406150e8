// The falling threshold: walks the dial through the clip's stops in some six seconds, leaving out
// what a slow machine cannot draw, and puts it back where it was. A hand on a dial ends it there.
scissor.sweep = (() => {
  const LENGTH = 6000, REST = 900, PATIENCE = 4000;
  let falling = false;

  const wait = (time) => new Promise((done) => setTimeout(done, time));
  const drawn = () => new Promise((done) => {
    scissor.next("redraw", done);
    setTimeout(done, PATIENCE);
  });

  async function fall(stops) {
    const { lead, value } = scissor.last.settings, { handle } = scissor.last.scene;
    const start = performance.now(), last = stops.length - 1;
    falling = true;
    for (let k = -1; k < last; ) {
      k = Math.min(last, Math.max(k + 1, Math.floor(stops.length * (performance.now() - start) / LENGTH)));
      const shown = drawn();
      scissor.say("turn", { lead: "tau", value: stops[k] });
      await Promise.all([shown, wait(LENGTH / stops.length)]);
      if (!falling || scissor.last.scene.handle !== handle) return void (falling = false);
    }
    await wait(REST);
    if (falling) back(lead, value);
  }

  function back(lead, value) {
    falling = false;
    scissor.say("dial", { lead, value });
  }

  function stop() {
    if (falling) back(scissor.last.settings.lead, scissor.last.settings.value);
  }

  scissor.hear("hand", () => { falling = false; });
  return { fall, stop, get falling() { return falling; } };
})();
