// The Live tab: the camera's newest frame goes to the server, its groups come back, the next goes.
// Never more than one frame is under way, so a slow server gets fewer frames and no queue.
scissor.live = (() => {
  const { paint, make, count, many, percent, seconds } = scissor;
  const WIDTH = 448, LEAST = 100; // pixels sent; milliseconds between frames
  const UNSEEN = 60_000; // milliseconds out of sight after which the camera goes off
  const WHY = {
    NotAllowedError: "The camera was not allowed. Allow it beside the browser’s address, then start it again.",
    NotFoundError: "No camera was found. Plug one in, then start it again.",
    NotReadableError: "The camera is taken by another program. Close that one, then start it again.",
  };
  const NONE = "This browser gives the page no camera: cameras need an https address, or localhost. Upload a clip instead.";
  const WAITING = { waiting: "waits for the other answer", reading: "reading the tokens", stopped: " stopped" };
  const pause = (time) => new Promise((done) => setTimeout(done, time));

  class Live {
    constructor(element, props, server, trigger) {
      Object.assign(this, { element, props, server, trigger, camera: null, handle: null, held: [], beats: [], answering: false, drawn: null });
      this.at = (name) => element.querySelector(`[data-at="${name}"]`);
      this.video = Object.assign(document.createElement("video"), { muted: true, playsInline: true });
      this.at("live-help").textContent = `The newest ${WIDTH}-pixel picture goes to the server that runs this page, as soon as the one before is done. It holds the tokens of the last 16 frames and the kept ones in memory, stores nothing, and forgets them ${many(props.minutes, "minute")} after the last frame. A colour is one kept token. Moving the threshold starts anew from the frames held.`;
      this.at("live-toggle").addEventListener("click", () => (this.camera ? this.stop() : this.start()));
      this.at("live-tau").addEventListener("input", () => this.dial());
      this.at("live-opacity").addEventListener("input", () => this.draw());
      this.at("live-form").addEventListener("submit", (event) => { event.preventDefault(); this.ask(); });
      new ResizeObserver(() => this.seen()).observe(element);
      if (!navigator.mediaDevices?.getUserMedia) { this.note(NONE); this.at("live-toggle").disabled = true; }
    }

    get visible() {
      return Boolean(this.element.offsetParent) && !document.hidden;
    }

    // While this tab is in sight, what speaks of the clip steps aside.
    seen() {
      document.body.classList.toggle("sc-live-on", Boolean(this.element.offsetParent));
      this.draw();
    }

    note(text, bad = true) {
      this.at("live-note").textContent = text;
      this.at("live-note").classList.toggle("sc-bad", bad && Boolean(text));
    }

    dial() {
      this.at("live-tau-value").textContent = Number(this.at("live-tau").value).toFixed(3);
    }

    async start() {
      this.note("", false);
      this.at("live-toggle").disabled = true;
      try {
        this.camera = await navigator.mediaDevices.getUserMedia({ audio: false, video: { width: { ideal: 640 }, facingMode: "user" } });
        this.video.srcObject = this.camera;
        await this.video.play();
      } catch (error) {
        this.stop();
        this.note(WHY[error.name] || "The camera cannot be read. Choose another one in the browser, then start it again.");
        return;
      } finally {
        this.at("live-toggle").disabled = false;
      }
      if (this.handle) this.server.end({ handle: this.handle }).catch(() => null);
      Object.assign(this, { handle: null, held: [], beats: [], drawn: null });
      this.camera.getTracks().forEach((track) => track.addEventListener("ended", () => this.stop()));
      this.at("live-toggle").textContent = "Stop the camera";
      this.run(this.camera);
    }

    stop() {
      this.camera?.getTracks().forEach((track) => track.stop());
      Object.assign(this, { camera: null });
      this.video.srcObject = null;
      this.at("live-toggle").textContent = "Start the camera";
      this.at("live-rate").textContent = "–";
    }

    async run(camera) {
      let failures = 0, looked = performance.now();
      while (this.camera === camera) {
        const began = performance.now();
        if (this.visible) looked = began;
        if (began - looked > UNSEEN) { this.stop(); this.note("The camera went off while nobody looked. Start it again.", false); }
        if (this.visible && this.video.videoWidth) {
          try {
            this.take(await this.send());
            failures = 0;
          } catch (error) {
            console.warn(error);
            if (++failures > 2) { this.stop(); this.note("The server does not answer. Is it still there? Start the camera again."); }
          }
        }
        await pause(Math.max(10, LEAST - (performance.now() - began)));
      }
    }

    async send() {
      const picture = make("canvas");
      picture.width = WIDTH;
      picture.height = Math.round(WIDTH * this.video.videoHeight / this.video.videoWidth);
      picture.getContext("2d").drawImage(this.video, 0, 0, picture.width, picture.height);
      const { handle } = this, tau = Number(this.at("live-tau").value);
      return { picture, answer: await this.server.frame({ handle, tau, jpeg: picture.toDataURL("image/jpeg", 0.8) }) };
    }

    take({ picture, answer }) {
      if (answer.handle) this.handle = answer.handle;
      if (answer.gone) Object.assign(this, { handle: null, held: [] });
      if (answer.error) { this.stop(); this.note(answer.error); return; }
      if (answer.busy) { this.beats = []; if (!this.answering) this.note("The model is answering someone; the picture goes on after that.", false); return; }
      if (answer.gone || !this.camera) return;
      this.note("", false);
      this.held = [...this.held, picture].slice(-answer.frames);
      this.drawn = { ...answer, view: paint.unpack({ hubs: "", likeness: "", ...answer }, this.props.palette) };
      this.beats = [...this.beats, performance.now()].slice(-12);
      this.count();
      this.draw();
      this.at("live-go").disabled = false;
    }

    count() {
      const { seen, kept, past, folds } = this.drawn, span = this.beats.at(-1) - this.beats[0];
      this.at("live-numbers").hidden = this.at("live-screen").hidden = false;
      const texts = { frames: count(seen[0]), seen: count(seen[1]), kept: count(kept), share: percent(kept / seen[1]), past: count(past), folds: count(folds) };
      for (const [name, text] of Object.entries(texts)) this.at(`live-${name}`).textContent = text;
      if (span) this.at("live-rate").textContent = (1000 * (this.beats.length - 1) / span).toFixed(1);
    }

    draw() {
      if (!this.drawn || !this.element.offsetParent || this.held.length !== this.drawn.frames) return;
      const strip = this.at("live-held"), last = this.held.length - 1;
      while (strip.children.length < this.held.length) strip.append(make("canvas"));
      while (strip.children.length > this.held.length) strip.lastChild.remove();
      this.held.forEach((_, frame) => this.paint(strip.children[frame], frame, false));
      this.paint(this.at("live-screen"), last, true);
    }

    paint(canvas, frame, fine) {
      const picture = this.held[frame], width = canvas.clientWidth;
      const size = [width, Math.round(width * picture.height / picture.width)];
      canvas.style.height = `${size[1]}px`;
      const ctx = paint.fit(canvas, ...size);
      ctx.drawImage(picture, 0, 0, ...size);
      paint.groups(ctx, size, this.drawn.grid, this.drawn.view, frame, { opacity: this.at("live-opacity").value / 100, fine });
    }

    ask() {
      if (this.answering) { this.trigger("hush"); return; }
      this.answer(true);
      this.props.value = { handle: this.handle, question: this.at("live-question").value };
      this.trigger("ask");
    }

    answer(running) {
      this.answering = running;
      this.at("live-go").textContent = running ? "Stop" : "Ask";
    }

    show({ running = false, cards, error } = {}) {
      this.answer(running);
      if (error) this.note(error);
      if (!cards) return;
      this.at("live-answers").hidden = false;
      for (const side of ["all", "kept"]) this.card(side, cards[side] ?? {}, cards.past);
    }

    card(side, { state = "waiting", model, tokens, text = [], first, total }, past) {
      const card = this.element.querySelector(`[data-live="${side}"]`), part = (name) => card.querySelector(`[data-at="${name}"]`);
      card.dataset.state = state;
      const memory = side === "kept" && past ? `, ${count(past)} from earlier frames` : "";
      part("tokens").textContent = tokens ? `${model} · ${many(tokens, "token")}${memory}` : "";
      part("text").replaceChildren(...text.map(([words, differs]) => (differs ? make("mark", {}, words) : words)));
      if (WAITING[state]) part("text").append(make("i", {}, WAITING[state]));
      part("times").textContent = first == null ? "" : `first word ${seconds(first)} · total ${seconds(total)}`;
    }
  }

  return (element, props, server, trigger, watch) => {
    const live = new Live(element, props, server, trigger);
    watch("value", () => live.show(props.value ?? {}));
  };
})();
