// Small charts, drawn as SVG.

const SVG = 'http://www.w3.org/2000/svg';

function draw(parent, tag, attributes, text) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text !== undefined) element.textContent = text;
  parent.append(element);
  return element;
}

/** The last values, the newest at the right. most: how many there is room for; top: at least so high. */
export function spark(svg, values, most, top) {
  svg.replaceChildren();
  if (values.length < 2) return;
  const high = Math.max(top, ...values);
  const points = values.map((value, i) => [
    120 - ((values.length - 1 - i) * 120) / (most - 1),
    31 - (28 * value) / high,
  ]);
  const line = points.map(([x, y]) => x.toFixed(1) + ',' + y.toFixed(1)).join(' L');
  draw(svg, 'path', { class: 'area', d: 'M' + points[0][0].toFixed(1) + ',32 L' + line + ' L120,32 Z' });
  draw(svg, 'path', { class: 'line', d: 'M' + line });
}

/** A number of round steps that reach up to a value. */
function steps(value) {
  const rough = value / 3;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((one) => one >= rough);
  const all = [];
  for (let at = 0; at < value + step * 0.999; at += step) all.push(at);
  return all;
}

/**
 * A value that stays until its next change.
 *
 * points: of {time, value, title}, the oldest first; until: the right end
 */
export function overTime(svg, points, until, labelOfValue, labelOfTime) {
  svg.replaceChildren();
  const width = Math.max(280, svg.clientWidth);
  const height = 190;
  svg.setAttribute('viewBox', '0 0 ' + width + ' ' + height);
  const left = 62;
  const right = width - 14;
  const bottom = height - 26;
  const grid = steps(Math.max(1, ...points.map((point) => point.value)));
  const high = grid[grid.length - 1];
  const began = points[0].time;
  const length = Math.max(1, until - began);
  const x = (time) => left + ((right - left) * (time - began)) / length;
  const y = (value) => bottom - ((bottom - 10) * value) / high;
  for (const value of grid) {
    draw(svg, 'line', { class: 'grid', x1: left, x2: right, y1: y(value), y2: y(value) });
    draw(svg, 'text', { x: left - 8, y: y(value) + 4, 'text-anchor': 'end' }, labelOfValue(value));
  }
  let path = '';
  let before = null;
  for (const point of points) {
    const here = x(point.time).toFixed(1);
    path += before === null ? 'M' + here + ',' : ' L' + here + ',' + before + ' L' + here + ',';
    before = y(point.value).toFixed(1);
    path += before;
  }
  path += ' L' + right + ',' + before;
  draw(svg, 'path', { class: 'area', d: path + ' L' + right + ',' + bottom + ' L' + left + ',' + bottom + ' Z' });
  draw(svg, 'path', { class: 'line', d: path });
  for (const point of points) {
    const dot = draw(svg, 'circle', { class: 'dot', cx: x(point.time).toFixed(1), cy: y(point.value).toFixed(1), r: 2.6 });
    draw(dot, 'title', {}, point.title);
  }
  draw(svg, 'text', { x: left, y: height - 6 }, labelOfTime(began));
  draw(svg, 'text', { x: right, y: height - 6, 'text-anchor': 'end' }, 'now');
}
