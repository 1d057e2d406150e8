// Paints groups of tokens over frames. Pure: a canvas context and plain data in, pixels out.
scissor.paint = (() => {
  const NONE = 65535, SINGLE = 255;

  // A view from the server, ready to draw.
  function unpack(view, palette) {
    const ids = scissor.numbers(view.ids, Uint16Array);
    const colours = scissor.numbers(view.colours, Uint8Array);
    const hubs = scissor.numbers(view.hubs, Uint32Array);
    const sizes = new Uint32Array(colours.length);
    for (const id of ids) if (id !== NONE) sizes[id]++;
    const colour = (id) => (id === NONE || colours[id] === SINGLE ? null : palette[colours[id]]);
    return { ids, colours, hubs, sizes, colour, likeness: scissor.numbers(view.likeness, Uint8Array) };
  }

  // The canvas at the screen's own resolution; returns its context and size in CSS pixels.
  function fit(canvas, width, height) {
    const ratio = window.devicePixelRatio || 1;
    const w = Math.round(width * ratio), h = Math.round(height * ratio);
    if (canvas.width !== w || canvas.height !== h) { canvas.width = w; canvas.height = h; }
    const ctx = canvas.getContext("2d");
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    ctx.clearRect(0, 0, width, height);
    return ctx;
  }

  function cell(size, grid, token) {
    const [rows, cols] = grid, [width, height] = size;
    const x0 = Math.round((token % cols) * width / cols), y0 = Math.round(Math.floor(token / cols) * height / rows);
    const x1 = Math.round((token % cols + 1) * width / cols), y1 = Math.round((Math.floor(token / cols) + 1) * height / rows);
    return [x0, y0, x1 - x0, y1 - y0];
  }

  // How opaque a colour is over a cell of that light, 0 to 1: dark cells hide nothing worth seeing.
  const thickness = (opacity, light) => Math.min(1, opacity * (1 + 0.6 * (1 - light) ** 2));

  // Fills, group borders, outlines of single tokens; `only` fades every other group.
  // light: the brightness of every cell of the clip, from cellLight.
  function groups(ctx, size, grid, view, frame, { opacity = 0.55, only = null, fine = true, light = null } = {}) {
    const count = grid[0] * grid[1], start = frame * count, giant = view.ids.length / 3;
    for (let token = 0; token < count; token++) {
      const id = view.ids[start + token], colour = view.colour(id), box = cell(size, grid, token);
      if (only !== null && id !== only) {
        ctx.fillStyle = "rgba(12, 14, 18, 0.66)";
        ctx.fillRect(...box);
      } else if (colour) {
        const thick = light ? thickness(opacity, light[start + token]) : opacity;
        ctx.globalAlpha = view.sizes[id] > giant ? 0.6 * thick : thick;  // let what it covers be seen
        ctx.fillStyle = colour;
        ctx.fillRect(...box);
        ctx.globalAlpha = 1;
        if (fine) border(ctx, grid, view.ids, start, token, box, colour);
      } else if (fine) {
        ctx.strokeStyle = id === NONE ? "rgba(255,255,255,0.15)" : "rgba(255,255,255,0.5)";
        ctx.lineWidth = 1;
        ctx.strokeRect(box[0] + 2.5, box[1] + 2.5, box[2] - 5, box[3] - 5);
      }
    }
  }

  function border(ctx, grid, ids, start, token, [x, y, w, h], colour, weight = 2) {
    const [rows, cols] = grid, row = Math.floor(token / cols), col = token % cols, id = ids[start + token];
    ctx.fillStyle = colour;
    if (row === 0 || ids[start + token - cols] !== id) ctx.fillRect(x, y, w, weight);
    if (row === rows - 1 || ids[start + token + cols] !== id) ctx.fillRect(x, y + h - weight, w, weight);
    if (col === 0 || ids[start + token - 1] !== id) ctx.fillRect(x, y, weight, h);
    if (col === cols - 1 || ids[start + token + 1] !== id) ctx.fillRect(x + w - weight, y, weight, h);
  }

  // A white line around the tokens whose id is `id`.
  function outline(ctx, size, grid, ids, frame, id, weight = 3) {
    const count = grid[0] * grid[1], start = frame * count;
    for (let token = 0; token < count; token++)
      if (ids[start + token] === id)
        border(ctx, grid, ids, start, token, cell(size, grid, token), "#ffffff", weight);
  }

  // Cosines as light: from a dark veil (0 and below) to the bare picture under warm light (1).
  function heat(ctx, size, grid, cosines, frame, opacity) {
    const count = grid[0] * grid[1];
    for (let token = 0; token < count; token++) {
      const x = Math.max(0, cosines[frame * count + token]), strong = x * x;
      ctx.fillStyle = `rgba(8, 12, 30, ${(0.9 * (1 - strong)).toFixed(3)})`;
      ctx.fillRect(...cell(size, grid, token));
      ctx.fillStyle = `rgba(255, 190, 60, ${(opacity * strong ** 2).toFixed(3)})`;
      ctx.fillRect(...cell(size, grid, token));
    }
  }

  // Diagonal lines over tokens whose share is not their own group.
  function hatch(ctx, size, grid, moved, frame) {
    const count = grid[0] * grid[1];
    ctx.save();
    ctx.beginPath();
    for (let token = 0; token < count; token++)
      if (moved[frame * count + token]) ctx.rect(...cell(size, grid, token));
    ctx.clip();
    ctx.strokeStyle = "rgba(10, 12, 16, 0.55)";
    ctx.lineWidth = 1;
    ctx.beginPath();
    for (let x = -size[1]; x < size[0]; x += 6) { ctx.moveTo(x, size[1]); ctx.lineTo(x + size[1], 0); }
    ctx.stroke();
    ctx.restore();
  }

  // The spanning forest's edges above tau in one frame, and a dot where a token has one.
  function links(ctx, size, grid, view, scene, frame, tau, { only = null, dots = 2 } = {}) {
    const count = grid[0] * grid[1], start = frame * count;
    const middle = (token) => { const [x, y, w, h] = cell(size, grid, token); return [x + w / 2, y + h / 2]; };
    ctx.lineCap = "round";
    for (const [width, plain] of [[3.5, "rgba(10,12,16,0.55)"], [1.75, null]])
      for (let token = 0; token < count; token++) {
        const id = view.ids[start + token];
        if (!(scene.weight[start + token] > tau) || (only !== null && id !== only)) continue;
        ctx.strokeStyle = plain || view.colour(id) || "#ffffff";
        ctx.lineWidth = width;
        ctx.beginPath();
        ctx.moveTo(...middle(token));
        ctx.lineTo(...middle(scene.parent[start + token]));
        ctx.stroke();
      }
    if (dots) for (let token = 0; token < count; token++) {
      const [x, y] = middle(token), id = view.ids[start + token];
      if (only !== null && id !== only) continue;
      ctx.fillStyle = view.colour(id) || "rgba(255,255,255,0.75)";
      ctx.beginPath();
      ctx.arc(x, y, view.colour(id) ? dots + 0.75 : dots - 0.5, 0, 7);
      ctx.fill();
    }
  }

  // Each cell in the mean colour of its group over the whole clip: what the kept tokens still tell.
  function mosaic(ctx, size, grid, view, frame, means) {
    const count = grid[0] * grid[1];
    for (let token = 0; token < count; token++) {
      const id = view.ids[frame * count + token];
      if (id === NONE) continue;
      ctx.fillStyle = `rgb(${means[3 * id]} ${means[3 * id + 1]} ${means[3 * id + 2]})`;
      ctx.fillRect(...cell(size, grid, token));
    }
  }

  // The mean colour of every cell of every frame: Uint8ClampedArray, four a token (the last is 255).
  function cellColours(images, grid) {
    const [rows, cols] = grid, small = document.createElement("canvas");
    small.width = cols; small.height = rows;
    const ctx = small.getContext("2d", { willReadFrequently: true });
    ctx.imageSmoothingQuality = "high";
    const all = new Uint8ClampedArray(4 * rows * cols * images.length);
    images.forEach((image, frame) => {
      ctx.drawImage(image, 0, 0, cols, rows);
      all.set(ctx.getImageData(0, 0, cols, rows).data, 4 * rows * cols * frame);
    });
    return all;
  }

  // The brightness of every cell, 0 to 1.
  function cellLight(colours) {
    return Float32Array.from({ length: colours.length / 4 }, (_, k) =>
      (0.299 * colours[4 * k] + 0.587 * colours[4 * k + 1] + 0.114 * colours[4 * k + 2]) / 255);
  }

  // Mean colour of every group, from its cells' colours: Float32Array, three a group.
  function meanColours(colours, view) {
    const sums = new Float32Array(3 * view.sizes.length);
    view.ids.forEach((id, k) => {
      if (id !== NONE) for (let c = 0; c < 3; c++) sums[3 * id + c] += colours[4 * k + c] / view.sizes[id];
    });
    return sums;
  }

  // A link made plain: a white line where both ends stand in this frame, a ring around each end.
  function link(ctx, size, grid, frame, ends) {
    const count = grid[0] * grid[1];
    const here = ends.filter((end) => Math.floor(end / count) === frame)
      .map((end) => { const [x, y, w, h] = cell(size, grid, end % count); return [x + w / 2, y + h / 2]; });
    for (const [width, colour] of [[7, "rgba(10, 12, 16, 0.85)"], [3, "#ffffff"]]) {
      Object.assign(ctx, { lineWidth: width, strokeStyle: colour });
      ctx.beginPath();
      if (here.length === 2) { ctx.moveTo(...here[0]); ctx.lineTo(...here[1]); }
      for (const [x, y] of here) { ctx.moveTo(x + 9, y); ctx.arc(x, y, 9, 0, 7); }
      ctx.stroke();
    }
  }

  return { NONE, SINGLE, unpack, fit, cell, groups, outline, heat, hatch, links, link, mosaic, cellColours, cellLight, meanColours };
})();
