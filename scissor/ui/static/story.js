// Three pictures of the clip that is shown: similar patches, linked, one token each.
scissor.story = (element, props) => {
  const { paint } = scissor;
  const at = (name) => element.querySelector(`[data-at="${name}"]`);
  const state = { scene: null, images: [], redraw: null };

  async function load(scene) {
    Object.assign(state, await scissor.pictures(scene), { scene });
    draw();
  }

  function draw() {
    const { scene, redraw, images } = state;
    if (!scene || !redraw || redraw.handle !== scene.handle) return;
    const view = paint.unpack(redraw.views.groups, props.palette), frame = Math.floor(images.length / 2);
    const means = paint.meanColours(state.cells, view);
    const painters = {
      alike: (ctx, size) => paint.groups(ctx, size, scene.grid, view, frame, { opacity: 0.6, light: state.light }),
      linked: (ctx, size) => paint.links(ctx, size, scene.grid, view, scene, frame, redraw.tau, { dots: 1.5 }),
      merged: (ctx, size) => paint.mosaic(ctx, size, scene.grid, view, frame, means),
    };
    for (const [name, painter] of Object.entries(painters)) {
      const canvas = at(name), width = canvas.parentElement.clientWidth, size = [width, Math.round(width / scene.aspect)];
      canvas.style.height = `${size[1]}px`;
      const ctx = paint.fit(canvas, ...size);
      ctx.drawImage(images[frame], 0, 0, ...size);
      painter(ctx, size);
    }
  }

  new ResizeObserver(draw).observe(element);
  scissor.hear("scene", load);
  scissor.hear("redraw", (redraw) => { state.redraw = redraw; draw(); });
};
