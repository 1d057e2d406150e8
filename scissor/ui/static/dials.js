// The strip of numbers and the two linked dials. Asks the server for each redraw and spreads it:
// says "scene" once a clip, "redraw" once a move. What a person moved last leads.
scissor.dials = (() => {
  const { count, percent, seconds, say, hear } = scissor;
  const LOW = Math.log(0.01); // the retention dial runs from 1% to 100%, evenly in its logarithm
  const toRetention = (x) => Math.exp(LOW * (1 - x / 1000));
  const fromRetention = (r) => 1000 * (1 - Math.log(Math.max(r, 0.01)) / LOW);

  class Dials {
    constructor(element, props, server, trigger) {
      Object.assign(this, { element, props, server, trigger, handle: null, scene: null, drawn: null });
      this.at = (name) => element.querySelector(`[data-at="${name}"]`);
      this.stand = { lead: "retention", value: 0.1 };
      this.ask = scissor.latest((request) => this.redraw(request));
      const tau = this.at("tau"), retention = this.at("retention");
      tau.addEventListener("input", () => this.hand("tau", Number(tau.value)));
      retention.addEventListener("input", () => this.hand("retention", toRetention(Number(retention.value))));
      for (const dial of [tau, retention]) dial.addEventListener("change", () => this.release());
      hear("dial", ({ lead, value }) => { this.turn(lead, value); this.release(); });
      hear("turn", ({ lead, value }) => this.turn(lead, value));
      hear("times", (times) => this.time(times));
      this.show(props.value);
    }

    // A value from the server: another clip, or the same one.
    show(value) {
      if (!value?.handle) return;
      this.stand = { lead: value.lead, value: value.value };
      this.mark();
      this.tell();
      if (value.handle !== this.handle) {
        Object.assign(this, { handle: value.handle, scene: null });
        this.coming = this.bring(value.handle);
      }
      this.ask({ handle: this.handle, ...this.stand });
    }

    async bring(handle) {
      const scene = await this.server.scene({ handle });
      if (handle !== this.handle || this.refused(scene)) return;
      scene.weight = scissor.numbers(scene.weight, Float32Array);
      scene.parent = scissor.numbers(scene.parent, Uint16Array);
      this.scene = { ...scene, handle };
      this.bars();
      say("scene", this.scene);
    }

    async redraw({ done, ...request }) {
      const answer = await this.server.move(request);
      if (request.handle !== this.handle || this.refused(answer)) return;
      await this.coming;
      if (request.handle !== this.handle || !this.scene) return;
      this.drawn = answer;
      this.follow();
      say("redraw", { ...answer, handle: this.handle });
      done?.();
    }

    // The server may have let the clip go, or failed: the page then opens it anew, or says so.
    refused(answer) {
      if (answer && !answer.gone && !answer.error) return false;
      if (answer?.gone) this.trigger("lost");
      else this.at("note").textContent = answer?.error || "The server does not answer; is it still there?";
      return true;
    }

    hand(lead, value) {
      say("hand");
      this.turn(lead, value);
    }

    turn(lead, value) {
      this.stand = { lead, value };
      this.mark();
      this.ask({ handle: this.handle, lead, value });
    }

    // What a link carries: the clip's name, model and frames as the server gave them, and the dial.
    tell() {
      const { example, model, frames } = this.props.value;
      say("settings", { example, model, frames, ...this.stand });
    }

    // Tell the server's events where the dials stand now that the hand has let go.
    release() {
      this.props.value = { ...this.props.value, ...this.stand };
      this.tell();
      this.ask({ handle: this.handle, ...this.stand, done: () => this.trigger("release") });
    }

    mark() {
      for (const dial of this.element.querySelectorAll("[data-dial]"))
        dial.classList.toggle("sc-leads", dial.dataset.dial === this.stand.lead);
    }

    follow() {
      const { lead, value } = this.stand, { retention: kept, counts } = this.drawn;
      const threshold = lead === "tau" ? value : this.drawn.tau, share = lead === "retention" ? value : kept;
      const tau = this.at("tau"), retention = this.at("retention"), tokens = `${count(counts[2])} tokens kept`;
      const { lo, hi } = this.scene.histogram;
      Object.assign(tau, { min: lo, max: hi, value: threshold });
      retention.value = fromRetention(share);
      tau.setAttribute("aria-valuetext", `${threshold.toFixed(3)}, ${tokens}`);
      retention.setAttribute("aria-valuetext", `${percent(share)}, ${tokens}`);
      this.write({ "tau-value": threshold.toFixed(3), "retention-value": percent(share), note: this.missed() });
      this.numbers();
      for (const bar of this.at("bars").children) bar.classList.toggle("sc-on", bar.dataset.tau > threshold);
    }

    // What cannot be met exactly shows both counts.
    missed() {
      const { asked, counts, retention } = this.drawn;
      const target = asked == null ? counts[2] : Math.max(1, Math.ceil(asked * counts[0] - 1e-6));
      if (counts[2] === target) return "";
      return `Asked ${percent(asked)} (${count(target)}), got ${(100 * retention).toFixed(2)}% (${count(counts[2])}).`;
    }

    numbers() {
      const { counts, retention, fewer, elsewhere } = this.drawn;
      this.write({
        in: count(counts[0]), middle: count(counts[1]), kept: count(counts[2]), share: percent(retention),
        fewer: fewer ? scissor.times(fewer) : "–",
      });
      const pair = (values, unit) => values.map((n) => (n / unit).toPrecision(n / unit < 100 ? 2 : 3)).join(" → ");
      this.write({ elsewhere: `As if on LLaVA-OneVision-7B: prefill ${pair(elsewhere.flops, 1e12)} TFLOPs, KV cache ${pair(elsewhere.bytes, 2 ** 20)} MiB.` });
    }

    time({ before, after, old }) {
      this.write({ before: seconds(before), after: seconds(after) });
      this.at("after").classList.toggle("sc-old", Boolean(old));
    }

    write(texts) {
      for (const [name, text] of Object.entries(texts)) this.at(name).textContent = text;
    }

    bars() {
      const { lo, hi, bars } = this.scene.histogram, top = Math.max(1, ...bars.map(Math.sqrt));
      this.at("bars").setAttribute("viewBox", `0 0 ${bars.length} 40`);
      this.at("bars").replaceChildren(...bars.map((n, k) => {
        const bar = document.createElementNS("http://www.w3.org/2000/svg", "rect"), height = 40 * Math.sqrt(n) / top;
        const box = { x: k + 0.1, width: 0.8, y: 40 - height, height, "data-tau": lo + (k + 0.5) * (hi - lo) / bars.length };
        for (const [name, value] of Object.entries(box)) bar.setAttribute(name, value);
        return bar;
      }));
    }
  }

  return (element, props, server, trigger, watch) => {
    const dials = new Dials(element, props, server, trigger);
    watch("value", () => dials.show(props.value));
  };
})();
