// One frame of the overlay on one canvas: picture, groups or heat map, links, the rebuilt half.
// Pure: what to show comes in as `look`, see viewer.js.
scissor.screen = (() => {
  const { paint } = scissor;

  function draw(canvas, width, frame, look, fine) {
    const { scene } = look, size = [width, Math.round(width / scene.aspect)];
    canvas.style.height = `${size[1]}px`;
    const ctx = paint.fit(canvas, ...size);
    ctx.drawImage(look.images[frame], 0, 0, ...size);
    if (look.view === "alike") alike(ctx, size, frame, look, fine);
    else groups(ctx, size, frame, look, fine);
    if (look.rebuilt > 0) rebuilt(ctx, size, frame, look, fine);
  }

  function groups(ctx, size, frame, look, fine) {
    const { scene, view, only, over, opacity } = look, { grid } = scene, shown = look.views[view];
    paint.groups(ctx, size, grid, shown, frame, { opacity, only, fine });
    if (!fine) return;
    if (view === "shares") paint.hatch(ctx, size, grid, look.moved, frame);
    else if (look.links) paint.links(ctx, size, grid, shown, scene, frame, look.tau, { only });
    if (over !== null) paint.outline(ctx, size, grid, shown.ids, frame, shown.ids[over]);
  }

  function alike(ctx, size, frame, { heat, token, over, scene, tau, opacity }, fine) {
    if (!heat) return;
    paint.heat(ctx, size, scene.grid, heat, frame, opacity);
    if (!fine) return;
    const above = heat.map((cosine) => (cosine > tau ? 1 : 0));
    paint.outline(ctx, size, scene.grid, above, frame, 1, 2);
    for (const [one, weight] of [[over, 2], [token, 4]])
      if (one !== null) paint.outline(ctx, size, scene.grid, heat.map((_, k) => (k === one ? 1 : 0)), frame, 1, weight);
  }

  // The left part of the frame as the kept tokens would paint it: each cell in its share's mean colour.
  function rebuilt(ctx, size, frame, { rebuilt: part, views, scene, means }, fine) {
    const edge = Math.round(size[0] * part);
    ctx.save();
    ctx.beginPath();
    ctx.rect(0, 0, edge, size[1]);
    ctx.clip();
    paint.mosaic(ctx, size, scene.grid, views.shares, frame, means());
    ctx.restore();
    ctx.fillStyle = "#ffffff";
    if (fine && part < 1) ctx.fillRect(edge - 1, 0, 2, size[1]);
  }

  return { draw };
})();
