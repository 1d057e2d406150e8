// The overlay: one large frame, all frames below, the largest groups beside it. Never asks the server:
// it draws what "scene" and "redraw" brought. Its value is what the graph follows.
scissor.viewer = (element, props) => {
  const { paint, make, count } = scissor;
  const at = (name) => element.querySelector(`[data-at="${name}"]`);
  const palette = props.palette, screen = at("screen");
  const state = { view: "groups", frame: 0, only: null, over: null, playing: 0, images: [], views: null, scene: null };
  const ABOUT = {
    components: "Step 1. Inside each frame, patches more alike than the threshold are linked; what hangs together is a component. Colours start anew in every frame.",
    groups: "Step 2. Components of all frames are linked the same way. One colour is one kept token, wherever and whenever it shows.",
    shares: "The merge. Every patch joins the kept token it is most alike to, and the kept token becomes their mean.",
  };

  async function load(scene) {
    stop();
    const images = await Promise.all(scene.pictures.map(async (source) => {
      const image = new Image();
      image.src = source;
      await image.decode().catch(() => null);
      return image;
    }));
    Object.assign(state, { scene, images, only: null, over: null, views: null });
    state.frame = Math.min(state.frame, images.length - 1);
    at("scrub").max = images.length - 1;
    at("frames").replaceChildren(...images.map((_, frame) => make("button", {
      type: "button", "aria-label": `Frame ${frame + 1}, at ${scene.times[frame].toFixed(1)} s`,
      onclick: () => { stop(); go(frame); },
    }, make("canvas"))));
    const now = scissor.last.redraw;
    if (now && now.handle === scene.handle) take(now);
  }

  function take(redraw) {
    if (!state.scene || redraw.handle !== state.scene.handle) return;
    const hub = state.only === null || !state.views ? null : current().hubs[state.only];
    state.views = Object.fromEntries(Object.entries(redraw.views).map(([name, view]) => [name, paint.unpack(view, palette)]));
    state.tau = redraw.tau;
    const { groups, shares } = state.views;
    state.moved = shares.ids.map((id, k) => (id !== groups.ids[k] ? 1 : 0));
    state.movedShare = redraw.moved;
    state.only = hub === null ? null : same(hub);
    state.over = null;
    draw();
  }

  const current = () => state.views[state.view];
  const same = (hub) => { const k = current().hubs.indexOf(hub); return k < 0 ? null : k; };

  function draw() {
    if (!state.views || !element.offsetParent) return;
    drawScreen();
    [...at("frames").children].forEach((button, frame) => {
      button.classList.toggle("sc-here", frame === state.frame);
      button.setAttribute("aria-current", frame === state.frame);
      drawFrame(button.firstChild, button.clientWidth, frame, false);
    });
    at("links").disabled = state.view === "shares";
    describe();
    list();
  }

  function drawScreen() {
    drawFrame(screen, screen.parentElement.clientWidth, state.frame, true);
    at("scrub").value = state.frame;
    at("scrub").setAttribute("aria-valuetext", `frame ${state.frame + 1}`);
    at("when").textContent = `${state.frame + 1} / ${state.images.length} · ${state.scene.times[state.frame].toFixed(1)} s`;
  }

  function drawFrame(canvas, width, frame, fine) {
    const { scene } = state, size = [width, Math.round(width / scene.aspect)], view = current();
    canvas.style.height = `${size[1]}px`;
    const ctx = paint.fit(canvas, ...size);
    ctx.drawImage(state.images[frame], 0, 0, ...size);
    const opacity = at("opacity").value / 100;
    paint.groups(ctx, size, scene.grid, view, frame, { opacity, only: state.only, fine });
    if (fine && state.view === "shares") paint.hatch(ctx, size, scene.grid, state.moved, frame);
    if (fine && at("links").checked && state.view !== "shares") paint.links(ctx, size, scene.grid, view, scene, frame, state.tau, { only: state.only });
    if (fine && state.over !== null) paint.outline(ctx, size, scene.grid, view, frame, view.ids[state.over]);
  }

  function describe() {
    at("about").textContent = ABOUT[state.view];
    at("moved").hidden = state.view !== "shares";
    at("moved").textContent = `Hatched: ${scissor.percent(state.movedShare)} of the patches joined another token than the one their own group became.`;
    const { sizes } = current(), many = sizes.filter((n) => n > 1).length;
    screen.setAttribute("aria-label", `Frame ${state.frame + 1} with its tokens coloured by group: ${count(many)} groups of two or more, ${count(sizes.filter((n) => n === 1).length)} single tokens in the clip.`);
  }

  function list() {
    const view = current(), n = state.scene.grid[0] * state.scene.grid[1];
    let ids = [...view.sizes.keys()].filter((id) => view.sizes[id] > 1);
    if (state.view === "components") ids = ids.filter((id) => Math.floor(view.hubs[id] / n) === state.frame);
    ids.sort((a, b) => view.sizes[b] - view.sizes[a] || a - b);
    at("list").replaceChildren(...ids.slice(0, 8).map((id) => {
      const part = 100 * view.sizes[id] / Math.max(1, ...ids.map((k) => view.sizes[k]));
      return make("button", { type: "button", "aria-pressed": String(state.only === id), onclick: () => isolate(id) },
        make("b", { style: `background:${view.colour(id)}` }), make("span", {}, `${count(view.sizes[id])} patches`),
        make("small", {}, state.view === "components" ? "" : scissor.many(framesOf(view, id, n), "frame")),
        make("i", { style: `width:${part}%;background:${view.colour(id)}` }));
    }));
  }

  function framesOf(view, id, n) {
    const seen = new Set();
    view.ids.forEach((other, k) => { if (other === id) seen.add(Math.floor(k / n)); });
    return seen.size;
  }

  function isolate(id) {
    state.only = state.only === id ? null : id;
    draw();
    tell();
  }

  // What the graph follows, as the server's events will read it.
  function tell() {
    props.value = { view: state.view, frame: state.frame, hub: state.only === null ? null : current().hubs[state.only] };
  }

  function go(frame) {
    state.frame = Math.max(0, Math.min(state.images.length - 1, frame));
    draw();
    if (!state.playing) tell();
  }

  function stop() {
    if (!state.playing) return;
    clearInterval(state.playing);
    state.playing = 0;
    icon();
    tell();
  }

  function play() {
    if (state.playing) return stop();
    state.playing = setInterval(() => go((state.frame + 1) % state.images.length), 260);
    icon();
  }

  function icon() {
    at("icon").setAttribute("d", state.playing ? "M4 3h3v10H4zM9 3h3v10H9z" : "M4 2.5v11l9-5.5z");
    at("play").setAttribute("aria-label", state.playing ? "Pause" : "Play");
  }

  function tokenAt(event) {
    const box = screen.getBoundingClientRect(), [rows, cols] = state.scene.grid;
    const col = Math.floor((event.clientX - box.left) / box.width * cols), row = Math.floor((event.clientY - box.top) / box.height * rows);
    if (col < 0 || row < 0 || col >= cols || row >= rows) return null;
    return (state.frame * rows + row) * cols + col;
  }

  function tip(event) {
    const token = state.over, view = current(), id = token === null ? paint.NONE : view.ids[token];
    at("tip").hidden = id === paint.NONE;
    if (at("tip").hidden) return;
    const n = state.scene.grid[0] * state.scene.grid[1], size = view.sizes[id];
    at("tip").textContent = size === 1 ? `Group ${id + 1}: this patch alone`
      : `Group ${id + 1}: ${count(size)} patches${state.view === "components" ? "" : ` in ${scissor.many(framesOf(view, id, n), "frame")}`} · cosine to its hub ${(view.likeness[token] / 255).toFixed(2)}`;
    const box = screen.getBoundingClientRect();
    at("tip").style.left = `${Math.min(event.clientX - box.left + 14, box.width - 190)}px`;
    at("tip").style.top = `${event.clientY - box.top + 16}px`;
  }

  function over(event) {
    if (!state.views) return;
    const token = event.type === "pointerleave" ? null : tokenAt(event);
    if (token !== state.over) { state.over = token; drawScreen(); }
    tip(event);
  }

  function choose(view) {
    state.view = view;
    state.only = state.over = null;
    for (const button of element.querySelectorAll("[data-view]")) {
      button.setAttribute("aria-checked", String(button.dataset.view === view));
      button.tabIndex = button.dataset.view === view ? 0 : -1;
    }
    draw();
    tell();
  }

  function arrows(event) {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!step) return;
    const buttons = [...element.querySelectorAll("[data-view]")];
    const next = buttons[(buttons.indexOf(event.target) + step + buttons.length) % buttons.length];
    next.focus();
    choose(next.dataset.view);
    event.preventDefault();
  }

  for (const button of element.querySelectorAll("[data-view]")) {
    button.addEventListener("click", () => choose(button.dataset.view));
    button.addEventListener("keydown", arrows);
  }
  for (const kind of ["pointermove", "pointerleave"]) screen.addEventListener(kind, over);
  screen.addEventListener("click", (event) => {
    const token = state.views ? tokenAt(event) : null;
    if (token !== null && current().ids[token] !== paint.NONE) isolate(current().ids[token]);
  });
  at("play").addEventListener("click", play);
  at("scrub").addEventListener("input", () => { stop(); go(Number(at("scrub").value)); });
  at("opacity").addEventListener("input", draw);
  at("links").addEventListener("change", draw);
  new ResizeObserver(() => draw()).observe(element);
  scissor.hear("scene", load);
  scissor.hear("redraw", take);
};
