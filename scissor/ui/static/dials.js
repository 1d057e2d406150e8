// The strip of numbers and the two linked dials. Asks the server for each redraw and spreads it:
// says "scene" once a clip, "redraw" once a move. What a person moved last leads.
scissor.dials = (element, props, server, trigger, watch) => {
  const at = (name) => element.querySelector(`[data-at="${name}"]`);
  const tau = at("tau"), retention = at("retention");
  const state = { handle: null, lead: "retention", value: 0.1, scene: null, sceneOf: null, redraw: null };
  const LOW = Math.log(0.01);
  const toRetention = (x) => Math.exp(LOW * (1 - x / 1000));
  const fromRetention = (r) => 1000 * (1 - Math.log(Math.max(r, 0.01)) / LOW);

  const move = scissor.latest(async ({ handle, lead, value, done }) => {
    const answer = await server.move({ handle, lead, value });
    if (handle !== state.handle || refused(answer)) return;
    await state.sceneOf;
    if (handle !== state.handle || !state.scene) return;
    state.redraw = answer;
    follow();
    scissor.say("redraw", { ...answer, handle });
    if (done) done();
  });

  // The server may have let the clip go, or failed: the page then opens it anew, or says so.
  function refused(answer) {
    if (answer && !answer.gone && !answer.error) return false;
    if (answer?.gone) trigger("lost");
    else at("note").textContent = answer?.error || "The server does not answer; is it still there?";
    return true;
  }

  async function bring(handle) {
    const scene = await server.scene({ handle });
    if (handle !== state.handle || refused(scene)) return;
    scene.weight = scissor.numbers(scene.weight, Float32Array);
    scene.parent = scissor.numbers(scene.parent, Uint16Array);
    state.scene = { ...scene, handle };
    bars();
    scissor.say("scene", state.scene);
  }

  function show(value) {
    if (!value || !value.handle) return;
    const fresh = value.handle !== state.handle;
    Object.assign(state, { handle: value.handle, lead: value.lead, value: value.value });
    mark();
    if (fresh) Object.assign(state, { scene: null, sceneOf: bring(value.handle) });
    move({ handle: state.handle, lead: state.lead, value: state.value });
  }

  function turned(lead, value) {
    Object.assign(state, { lead, value });
    mark();
    move({ handle: state.handle, lead, value });
  }

  // Tell the server's events where the dials stand now that the hand has let go.
  function released() {
    props.value = { ...props.value, lead: state.lead, value: state.value };
    move({ handle: state.handle, lead: state.lead, value: state.value, done: () => trigger("release") });
  }

  function mark() {
    for (const dial of element.querySelectorAll("[data-dial]"))
      dial.classList.toggle("sc-leads", dial.dataset.dial === state.lead);
  }

  function follow() {
    const { tau: now, retention: kept, counts, asked, fewer } = state.redraw;
    const { lo, hi } = state.scene.histogram;
    Object.assign(tau, { min: lo, max: hi });
    if (state.lead !== "tau") tau.value = now;
    else tau.value = state.value;
    if (state.lead !== "retention") retention.value = fromRetention(kept);
    else retention.value = fromRetention(state.value);
    const threshold = state.lead === "tau" ? state.value : now;
    at("tau-value").textContent = threshold.toFixed(3);
    at("retention-value").textContent = scissor.percent(state.lead === "retention" ? state.value : kept);
    tau.setAttribute("aria-valuetext", `${threshold.toFixed(3)}, ${scissor.count(counts[2])} tokens kept`);
    retention.setAttribute("aria-valuetext", `${scissor.percent(kept)}, ${scissor.count(counts[2])} tokens kept`);
    const target = asked == null ? counts[2] : Math.max(1, Math.ceil(asked * counts[0] - 1e-6));
    at("note").textContent = counts[2] === target ? ""
      : `Asked ${scissor.percent(asked)} (${scissor.count(target)}), got ${(100 * kept).toFixed(2)}% (${scissor.count(counts[2])}).`;
    at("in").textContent = scissor.count(counts[0]);
    at("middle").textContent = scissor.count(counts[1]);
    at("kept").textContent = scissor.count(counts[2]);
    at("share").textContent = scissor.percent(kept);
    at("fewer").textContent = fewer ? scissor.times(fewer) : "–";
    elsewhere(state.redraw.elsewhere);
    shade(threshold);
  }

  function elsewhere({ flops, bytes }) {
    const [tera, mega] = [flops, bytes].map(([before, after], k) => [before, after].map((n) => n / (k ? 2 ** 20 : 1e12)));
    const two = (n) => n.toPrecision(2 + (n >= 100));
    at("elsewhere").textContent = `As if on LLaVA-OneVision-7B: prefill ${two(tera[0])} → ${two(tera[1])} TFLOPs, `
      + `KV cache ${two(mega[0])} → ${two(mega[1])} MiB.`;
  }

  function bars() {
    const { lo, hi, bars: heights } = state.scene.histogram, top = Math.max(1, ...heights.map(Math.sqrt));
    at("bars").replaceChildren(...heights.map((n, k) => {
      const bar = document.createElementNS("http://www.w3.org/2000/svg", "rect");
      const h = 40 * Math.sqrt(n) / top;
      const box = { x: k + 0.1, width: 0.8, y: 40 - h, height: h, "data-tau": lo + (k + 0.5) * (hi - lo) / heights.length };
      for (const [name, v] of Object.entries(box)) bar.setAttribute(name, v);
      return bar;
    }));
    at("bars").setAttribute("viewBox", `0 0 ${heights.length} 40`);
  }

  function shade(threshold) {
    for (const bar of at("bars").children) bar.classList.toggle("sc-on", bar.dataset.tau > threshold);
  }

  tau.addEventListener("input", () => turned("tau", Number(tau.value)));
  retention.addEventListener("input", () => turned("retention", toRetention(Number(retention.value))));
  for (const dial of [tau, retention]) dial.addEventListener("change", released);
  scissor.hear("dial", ({ lead, value }) => { turned(lead, value); released(); });
  scissor.hear("times", ({ before, after, old }) => {
    at("after").classList.toggle("sc-old", Boolean(old));
    at("before").textContent = scissor.seconds(before);
    at("after").textContent = scissor.seconds(after);
  });
  watch("value", () => show(props.value));
  show(props.value);
};
