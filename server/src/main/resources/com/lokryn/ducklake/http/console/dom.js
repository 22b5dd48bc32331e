// Puts what the server says into the page: always as text, never as HTML.

export const byId = (id) => document.getElementById(id);

export function make(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

/** Sets a text; nothing is touched where it is the same, so that a selection stays. */
export function say(element, text) {
  const value = String(text);
  if (element.textContent !== value) element.textContent = value;
}

/**
 * Keeps the rows of a table in step with a list. A row stays the same element as long as its key is
 * there: what has the focus keeps it.
 *
 * columns: of {label, className, create(cell), update(cell, item)}
 */
export function rows(table, items, key, columns, empty) {
  const body = table.tBodies[0];
  const known = new Map();
  for (const row of body.rows) known.set(row.dataset.key, row);
  let at = body.firstElementChild;
  for (const item of items) {
    const id = String(key(item));
    let row = known.get(id);
    known.delete(id);
    if (!row) {
      row = make('tr');
      row.dataset.key = id;
      for (const column of columns) {
        const cell = make('td', column.className);
        cell.dataset.label = column.label;
        if (column.create) column.create(cell, row);
        row.append(cell);
      }
    }
    row.item = item;
    columns.forEach((column, i) => column.update(row.cells[i], item));
    if (row === at) at = at.nextElementSibling;
    else body.insertBefore(row, at);
  }
  for (const row of known.values()) row.remove();
  if (items.length === 0) {
    const row = make('tr');
    row.dataset.key = '';
    const cell = make('td', 'empty', empty);
    cell.colSpan = columns.length;
    row.append(cell);
    body.append(row);
  }
}

/** A bar of parts, each a share of 1 with a class of its own. */
export function track(parts) {
  const bar = make('span', 'track');
  for (const [share, className] of parts) {
    const part = make('i', className);
    part.style.width = (Math.max(0, Math.min(1, share)) * 100).toFixed(2) + '%';
    bar.append(part);
  }
  return bar;
}
