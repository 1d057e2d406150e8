// A click on the retention curve sets both dials: reads the threshold under the pointer.
document.addEventListener("click", (event) => {
  const plot = event.target.closest?.("#sc-curve .js-plotly-plot"), axis = plot?._fullLayout?.xaxis;
  if (!axis) return;
  const tau = axis.p2d(event.clientX - plot.getBoundingClientRect().left - axis._offset);
  if (tau >= -1 && tau <= 1) scissor.say("dial", { lead: "tau", value: tau });
});
