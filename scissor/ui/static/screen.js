// One frame of the overlay on one canvas: picture, groups or heat map, links, or rebuilt.
// Pure: what to show comes in as `look`, see viewer.js. fine: the large one, with all its lines.
scissor.screen = (() => {
  const { paint } = scissor;
  const PAINTERS = { alike, rebuilt };

  function draw(canvas, width, frame, look, fine) {
    const { scene } = look, size = [width, Math.round(width / scene.aspect)];
    canvas.style.height = `${size[1]}px`;
    const ctx = paint.fit(canvas, ...size);
    ctx.drawImage(look.images[frame], 0, 0, ...size);
    (PAINTERS[look.view] || groups)(ctx, size, frame, look, fine);
  }

  function groups(ctx, size, frame, look, fine) {
    const { scene, view, only, over, opacity, light, weakest } = look, { grid } = scene, shown = look.views[view];
    paint.groups(ctx, size, grid, shown, frame, { opacity, only, fine, light });
    if (!fine) return;
    if (view === "shares") paint.hatch(ctx, size, grid, look.moved, frame);
    else if (look.links) {
      paint.links(ctx, size, grid, shown, scene, frame, look.tau, { only });
      if (weakest) paint.link(ctx, size, grid, frame, [weakest.a, weakest.b]);
    }
    if (over !== null) paint.outline(ctx, size, grid, shown.ids, frame, shown.ids[over]);
  }

  // Light where a patch is alike to the pressed one; a line where the threshold cuts.
  function alike(ctx, size, frame, { heat, token, over, scene, tau, opacity }, fine) {
    if (!heat) return;
    paint.heat(ctx, size, scene.grid, heat, frame, opacity);
    paint.outline(ctx, size, scene.grid, heat.map((cosine) => (cosine > tau ? 1 : 0)), frame, 1, fine ? 2 : 1);
    if (!fine) return;
    for (const [one, weight] of [[over, 2], [token, 4]])
      if (one !== null) paint.outline(ctx, size, scene.grid, heat.map((_, k) => (k === one ? 1 : 0)), frame, 1, weight);
  }

  // Right of the line the frame as the kept tokens would paint it: each cell in its share's mean colour.
  function rebuilt(ctx, size, frame, { wipe, views, scene, means }, fine) {
    const edge = fine ? Math.round(size[0] * wipe) : 0;
    ctx.save();
    ctx.beginPath();
    ctx.rect(edge, 0, size[0] - edge, size[1]);
    ctx.clip();
    paint.mosaic(ctx, size, scene.grid, views.shares, frame, means());
    ctx.restore();
    if (fine) handle(ctx, edge, size[1]);
  }

  function handle(ctx, edge, height) {
    ctx.fillStyle = "rgba(10, 12, 16, 0.6)";
    ctx.fillRect(edge - 2, 0, 4, height);
    ctx.fillStyle = "#ffffff";
    ctx.fillRect(edge - 1, 0, 2, height);
    ctx.beginPath();
    ctx.arc(edge, height / 2, 13, 0, 7);
    ctx.fill();
    ctx.fillStyle = "#1b1f24";
    for (const side of [-1, 1]) {
      ctx.beginPath();
      ctx.moveTo(edge + 8 * side, height / 2);
      ctx.lineTo(edge + 3 * side, height / 2 - 4);
      ctx.lineTo(edge + 3 * side, height / 2 + 4);
      ctx.fill();
    }
  }

  return { draw };
})();
