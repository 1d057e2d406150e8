// A scene's frames as the canvases need them, decoded once for all parts of the page that draw them:
// {images, cells: mean colour of every cell, light: of every cell}.
scissor.pictures = (() => {
  const { paint } = scissor, known = new WeakMap();

  async function decode({ pictures, grid }) {
    const images = pictures.map((source) => Object.assign(new Image(), { src: source }));
    await Promise.all(images.map((image) => image.decode().catch(() => null)));
    const cells = paint.cellColours(images, grid);
    return { images, cells, light: paint.cellLight(cells) };
  }

  return (scene) => {
    if (!known.has(scene)) known.set(scene, decode(scene));
    return known.get(scene);
  };
})();
