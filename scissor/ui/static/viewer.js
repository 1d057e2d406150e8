// The overlay: one large frame, all frames below, the largest groups beside it. Draws what "scene"
// and "redraw" brought; asks the server only what a patch is alike to. Its value is what the graph follows.
scissor.viewer = (() => {
  const { paint, screen, make, count, many } = scissor;
  const ABOUT = {
    components: "Step 1. Inside each frame, patches more alike than the threshold are linked; what hangs together is a component. Colours start anew in every frame.",
    groups: "Step 2. Components of all frames are linked the same way. One colour is one kept token, wherever and whenever it shows.",
    shares: "The merge. Every patch joins the kept token it is most alike to, and the kept token becomes their mean.",
    alike: "Press a patch: the brighter another one, the more alike the two are to the model. The line runs where the threshold cuts: at %.",
    rebuilt: "Left of the line the frame as it is, right of it what the kept tokens still tell: every patch in the mean colour of its share. Drag the line.",
  };
  const LINKED = ["components", "groups"];
  const PLAY = "M4 2.5v11l9-5.5z", PAUSE = "M4 3h3v10H4zM9 3h3v10H9z";

  class Viewer {
    constructor(element, props, server) {
      Object.assign(this, { element, props, server, timer: 0 });
      this.at = (name) => element.querySelector(`[data-at="${name}"]`);
      this.look = { view: "groups", frame: 0, only: null, over: null, token: null, heat: null, images: [], views: null, scene: null };
      this.listen();
      scissor.hear("scene", (scene) => this.load(scene));
      scissor.hear("redraw", (redraw) => this.take(redraw));
    }

    listen() {
      this.mark = scissor.radios(this.element.querySelectorAll("[data-view]"), "view", (view) => this.choose(view));
      const canvas = this.at("screen");
      for (const kind of ["pointermove", "pointerleave"]) canvas.addEventListener(kind, (event) => this.over(event));
      canvas.addEventListener("click", (event) => this.press(this.tokenAt(event)));
      for (const kind of ["pointerdown", "pointermove"]) canvas.addEventListener(kind, (event) => this.drag(event));
      this.at("play").addEventListener("click", () => (this.timer ? this.stop() : this.play()));
      this.at("scrub").addEventListener("input", () => { this.stop(); this.go(Number(this.at("scrub").value)); });
      for (const name of ["opacity", "links", "wipe"]) this.at(name).addEventListener("input", () => this.draw());
      this.at("fall").addEventListener("click", () => this.fall());
      this.at("weak-show").addEventListener("click", () => this.showWeakest());
      new ResizeObserver(() => this.draw()).observe(this.element);
    }

    async load(scene) {
      this.stop();
      this.at("weak").hidden = true;
      const { images, cells, light } = await scissor.pictures(scene), frame = Math.min(this.look.frame, images.length - 1);
      Object.assign(this.look, { scene, images, frame, cells, light, weakest: null, only: null, over: null, token: null, heat: null, views: null });
      this.at("scrub").max = images.length - 1;
      this.at("frames").replaceChildren(...images.map((_, k) => make("button", {
        type: "button", "aria-label": `Frame ${k + 1}, at ${scene.times[k].toFixed(1)} s`,
        onclick: () => { this.stop(); this.go(k); },
      }, make("canvas"))));
      if (scissor.last.redraw?.handle === scene.handle) this.take(scissor.last.redraw);
      this.tell();
    }

    take(redraw) {
      const { look } = this;
      if (!look.scene || redraw.handle !== look.scene.handle) return;
      const hub = look.only === null || !this.shown ? null : this.shown.hubs[look.only];
      look.views = Object.fromEntries(Object.entries(redraw.views).map(([name, view]) => [name, paint.unpack(view, this.props.palette)]));
      const { groups, shares } = look.views;
      look.moved = shares.ids.map((id, k) => (id !== groups.ids[k] ? 1 : 0));
      let means = null;
      look.means = () => (means ??= paint.meanColours(look.cells, shares));
      const only = hub === null ? -1 : this.shown.hubs.indexOf(hub);
      Object.assign(look, { tau: redraw.tau, guesses: redraw.guesses, movedShare: redraw.moved, only: only < 0 ? null : only, over: null, weakest: null });
      this.draw();
      this.weigh();
    }

    get shown() {
      return this.look.views?.[this.look.view];
    }

    draw() {
      const { look } = this;
      if (!look.views || !this.element.offsetParent) return;
      Object.assign(look, { opacity: this.at("opacity").value / 100, links: this.at("links").checked, wipe: this.at("wipe").value / 100 });
      this.drawScreen();
      [...this.at("frames").children].forEach((button, frame) => {
        button.classList.toggle("sc-here", frame === look.frame);
        button.setAttribute("aria-current", frame === look.frame);
        screen.draw(button.firstChild, button.clientWidth, frame, look, false);
      });
      this.at("links").disabled = !LINKED.includes(look.view);
      this.at("wipe").parentElement.hidden = look.view !== "rebuilt";
      this.at("opacity").parentElement.hidden = look.view === "rebuilt";
      this.describe();
      this.list();
    }

    drawScreen() {
      const { look } = this, canvas = this.at("screen");
      screen.draw(canvas, canvas.parentElement.clientWidth, look.frame, look, true);
      this.at("scrub").value = look.frame;
      this.at("scrub").setAttribute("aria-valuetext", `frame ${look.frame + 1}`);
      this.at("when").textContent = `${look.frame + 1} / ${look.images.length} · ${look.scene.times[look.frame].toFixed(1)} s`;
    }

    describe() {
      const { look } = this, view = this.shown ?? look.views.groups;
      this.at("about").textContent = ABOUT[look.view].replace("%", look.tau.toFixed(3));
      this.at("weak").hidden = !look.weakest;
      this.at("weak-said").textContent = look.weakest?.sentence ?? "";
      this.at("moved").hidden = look.view !== "shares";
      this.at("moved").textContent = `Hatched: ${scissor.percent(look.movedShare)} of the patches joined another token than the one their own group became.`;
      const large = view.sizes.filter((n) => n > 1).length, single = view.sizes.filter((n) => n === 1).length;
      this.at("screen").setAttribute("aria-label", `Frame ${look.frame + 1} with its tokens coloured by group: ${count(large)} groups of two or more, ${count(single)} single tokens in the clip.`);
    }

    list() {
      const { look } = this, view = this.shown;
      this.at("guess").hidden = look.view !== "groups" || !Object.keys(look.guesses).length;
      if (!view) return this.at("list").replaceChildren();
      const cells = look.scene.grid[0] * look.scene.grid[1], local = look.view === "components";
      const ids = [...view.sizes.keys()]
        .filter((id) => view.sizes[id] > 1 && (!local || Math.floor(view.hubs[id] / cells) === look.frame))
        .sort((a, b) => view.sizes[b] - view.sizes[a] || a - b);
      const told = ids.filter((id, rank) => rank < 8 || this.guess(id));
      this.at("list").replaceChildren(...told.map((id) => make("button",
        { type: "button", "aria-pressed": String(look.only === id), onclick: () => this.isolate(id) },
        make("b", { style: `background:${view.colour(id)}` }),
        make("span", {}, `${count(view.sizes[id])} patches`, this.guess(id) && make("em", {}, ` ${this.guess(id)}?`)),
        make("small", {}, local ? "" : many(this.framesOf(view, id), "frame")),
        make("i", { style: `width:${100 * view.sizes[id] / view.sizes[ids[0]]}%;background:${view.colour(id)}` }))));
    }

    guess(id) {
      return this.look.view === "groups" ? this.look.guesses[id] : undefined;
    }

    framesOf(view, id) {
      const cells = this.look.scene.grid[0] * this.look.scene.grid[1], seen = new Set();
      view.ids.forEach((other, k) => { if (other === id) seen.add(Math.floor(k / cells)); });
      return seen.size;
    }

    press(token) {
      if (token === null || !this.look.views) return;
      if (this.look.view === "alike") this.warm(token);
      else if (this.shown && this.shown.ids[token] !== paint.NONE) this.isolate(this.shown.ids[token]);
    }

    async warm(token) {
      const { look } = this, { handle } = look.scene;
      const answer = await this.server.alike({ handle, token });
      if (!answer?.cosines || handle !== look.scene.handle) return;
      const heat = Float32Array.from(scissor.numbers(answer.cosines, Int16Array), (n) => n / 32767);
      Object.assign(look, { token, heat });
      this.draw();
    }

    // The weakest link of the largest group, asked for once the dial rests.
    weigh() {
      clearTimeout(this.weighing);
      this.look.weakest = null;
      this.at("weak").hidden = true;
      if (LINKED.includes(this.look.view)) this.weighing = setTimeout(() => this.findWeakest(), 300);
    }

    async findWeakest() {
      const { scene: { handle }, view, frame } = this.look, { lead, asked, tau } = scissor.last.redraw;
      const answer = await this.server.weakest({ handle, lead, value: lead === "tau" ? tau : asked, view, frame });
      const { look } = this, stale = handle !== look.scene.handle || tau !== look.tau || view !== look.view;
      if (!answer?.sentence || stale || (view === "components" && frame !== look.frame)) return;
      look.weakest = answer;
      this.draw();
    }

    showWeakest() {
      const { look } = this, { a } = look.weakest, [rows, cols] = look.scene.grid;
      this.at("links").checked = true;
      look.only = this.shown.ids[a];
      this.stop();
      this.go(Math.floor(a / (rows * cols)));
    }

    async fall() {
      if (scissor.sweep.falling) return scissor.sweep.stop();
      const label = this.at("fall").textContent;
      if (!LINKED.includes(this.look.view)) this.choose("groups");
      this.at("fall").textContent = "Stop";
      await scissor.sweep.fall(this.look.scene.stops);
      this.at("fall").textContent = label;
    }

    drag(event) {
      if (this.look.view !== "rebuilt" || !event.buttons) return;
      const box = this.at("screen").getBoundingClientRect();
      if (event.type === "pointerdown") this.at("screen").setPointerCapture(event.pointerId);
      this.at("wipe").value = 100 * (event.clientX - box.left) / box.width;
      this.draw();
    }

    isolate(id) {
      this.look.only = this.look.only === id ? null : id;
      this.draw();
      this.tell();
    }

    // What the graph follows, as the server's events will read it; other views have no graph.
    tell() {
      const { view, frame, only } = this.look;
      if (LINKED.includes(view) || view === "shares") this.props.value = { view, frame, wide: window.innerWidth, hub: only === null || !this.shown ? null : this.shown.hubs[only] };
    }

    choose(view) {
      Object.assign(this.look, { view, only: null, over: null });
      this.mark(view);
      if (view === "alike" && this.look.token === null && this.look.scene) this.warm(this.middle());
      this.draw();
      this.tell();
      this.weigh();
    }

    middle() {
      const [rows, cols] = this.look.scene.grid;
      return (this.look.frame * rows + Math.floor(rows / 2)) * cols + Math.floor(cols / 2);
    }

    go(frame) {
      this.look.frame = Math.max(0, Math.min(this.look.images.length - 1, frame));
      if (this.look.view === "components") this.weigh();
      this.draw();
      if (!this.timer) this.tell();
    }

    play() {
      this.timer = setInterval(() => this.go((this.look.frame + 1) % this.look.images.length), 260);
      this.icon(PAUSE, "Pause");
    }

    stop() {
      if (!this.timer) return;
      clearInterval(this.timer);
      this.timer = 0;
      this.icon(PLAY, "Play");
      this.tell();
    }

    icon(path, label) {
      this.at("icon").setAttribute("d", path);
      this.at("play").setAttribute("aria-label", label);
    }

    tokenAt(event) {
      if (!this.look.scene) return null;
      const box = this.at("screen").getBoundingClientRect(), [rows, cols] = this.look.scene.grid;
      const col = Math.floor((event.clientX - box.left) / box.width * cols), row = Math.floor((event.clientY - box.top) / box.height * rows);
      return col < 0 || row < 0 || col >= cols || row >= rows ? null : (this.look.frame * rows + row) * cols + col;
    }

    over(event) {
      const { look } = this;
      if (!look.views) return;
      const token = event.type === "pointerleave" ? null : this.tokenAt(event);
      if (token !== look.over) { look.over = token; this.drawScreen(); }
      const text = token === null ? "" : this.told(token), tip = this.at("tip");
      tip.hidden = !text;
      tip.textContent = text;
      const box = this.at("screen").getBoundingClientRect();
      tip.style.left = `${Math.min(event.clientX - box.left + 14, box.width - 190)}px`;
      tip.style.top = `${event.clientY - box.top + 16}px`;
    }

    told(token) {
      const { look } = this, view = this.shown;
      if (!view) return look.heat ? `cosine ${look.heat[token].toFixed(3)}` : "";
      const id = view.ids[token], size = view.sizes[id];
      if (id === paint.NONE) return "";
      if (size === 1) return `Group ${id + 1}: this patch alone`;
      const where = look.view === "components" ? "" : ` in ${many(this.framesOf(view, id), "frame")}`;
      const word = this.guess(id) ? ` (${this.guess(id)}? a guess)` : "";
      return `Group ${id + 1}${word}: ${count(size)} patches${where} · cosine to its hub ${(view.likeness[token] / 255).toFixed(2)}`;
    }
  }

  return (element, props, server) => new Viewer(element, props, server);
})();
