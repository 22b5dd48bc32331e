import { overTime, spark } from './charts.js';
import { byId, make, rows, say, track } from './dom.js';
import { ago, bytes, count, duration, moment, rate, signedBytes } from './format.js';

// Without a name and password that may be in the address of the page: fetch takes no such address.
const HERE = location.origin + location.pathname;
const KEPT = 120;
const SILENCE_MS = 5000;
const AGAIN_MS = 3000;
const SURE_MS = 4000;
const RECENT = 12;

const series = { work: [], rate: [], sent: [], memory: [] };
let before = null;
let lake = null;
let lastNow = null;
let heard = 0;
let source = null;
let allRecent = false;

// --- what a statement or a session looks like ---

function statementCell() {
  return {
    label: 'Statement',
    className: 'text',
    create(cell, row) {
      const button = make('button', 'sql');
      button.type = 'button';
      button.addEventListener('click', () => showStatement(row.item));
      cell.append(button);
    },
    update(cell, item) {
      const text = item.sql.replace(/\s+/g, ' ').trim() || '(' + item.kind + ')';
      say(cell.firstChild, text);
      cell.firstChild.title = 'Show the statement and its plan';
    },
  };
}

function cell(label, text, className) {
  return { label, className, update: (td, item) => say(td, text(item)) };
}

function endCell(path, id, what) {
  return {
    label: '',
    className: 'act',
    create(td, row) {
      const button = make('button', 'end', 'End');
      button.type = 'button';
      button.addEventListener('click', () => {
        if (!button.classList.contains('sure')) {
          button.classList.add('sure');
          button.textContent = 'Really?';
          setTimeout(() => calm(button), SURE_MS);
          return;
        }
        button.disabled = true;
        end(path, id(row.item)).finally(() => {
          button.disabled = false;
          calm(button);
        });
      });
      td.append(button);
    },
    update(td, item) {
      td.firstChild.setAttribute('aria-label', 'End the ' + what + ' ' + id(item));
    },
  };
}

function calm(button) {
  button.classList.remove('sure');
  button.textContent = 'End';
}

async function end(path, id) {
  const answer = await fetch(HERE + 'kill/' + path + '/' + encodeURIComponent(id), {
    method: 'POST',
    headers: { 'X-Console': '1' },
  });
  if (!answer.ok && answer.status !== 404) say(byId('live'), await answer.text());
}

const PHASES = { plan: 'planning', first_batch: 'executing', stream: 'streaming' };

const QUERIES = [
  statementCell(),
  cell('User', (one) => one.user, 'name'),
  cell('Phase', (one) => PHASES[one.phase] || one.phase),
  {
    label: 'Progress',
    className: 'bar-cell',
    update(td, one) {
      if (one.progress === null) {
        say(td, '–');
        return;
      }
      const bar = make('span', 'progress');
      bar.append(track([[one.progress, '']]), make('span', '', Math.floor(one.progress * 100) + ' %'));
      td.replaceChildren(bar);
    },
  },
  cell('Elapsed', (one) => duration(one.elapsed_ms), 'num'),
  cell('Rows sent', (one) => count(one.rows), 'num'),
  cell('Sent', (one) => bytes(one.bytes), 'num'),
  endCell('queries', (one) => one.query_id, 'query'),
];

const RECENTLY = [
  statementCell(),
  cell('User', (one) => one.user, 'name'),
  {
    label: 'Outcome',
    update(td, one) {
      const badge = make('span', 'badge ' + one.outcome, one.outcome);
      if (one.cause) badge.title = one.cause.replaceAll('_', ' ');
      td.replaceChildren(badge);
    },
  },
  cell('Time', (one) => duration(one.elapsed_ms), 'num'),
  {
    label: 'Where it went',
    className: 'bar-cell phases',
    create: (td) => td.append(make('span')),
    update(td, one) {
      const all = one.queue_ms + one.plan_ms + one.first_batch_ms + one.stream_ms || 1;
      const bar = track([
        [one.queue_ms / all, 'p-queue'],
        [one.plan_ms / all, 'p-plan'],
        [one.first_batch_ms / all, 'p-run'],
        [one.stream_ms / all, 'p-stream'],
      ]);
      bar.title =
        'queue ' + duration(one.queue_ms) + ', plan ' + duration(one.plan_ms) +
        ', execute ' + duration(one.first_batch_ms) + ', stream ' + duration(one.stream_ms);
      td.replaceChildren(bar);
    },
  },
  cell('Rows', (one) => count(one.rows), 'num'),
  cell('Sent', (one) => bytes(one.bytes), 'num'),
  cell('Ended', (one) => ago(one.ended, lastNow.time), 'num'),
];

const SESSIONS = [
  {
    label: 'User',
    className: 'name',
    update(td, one) {
      td.replaceChildren(make('span', '', one.user), ' ', make('span', 'sub', one.role));
    },
  },
  cell('Holds', (one) => (one.in_transaction ? 'a transaction' : one.has_state ? 'temporary objects' : '–')),
  cell('Connections', (one) => count(one.connections), 'num'),
  cell('Queries', (one) => count(one.queries), 'num'),
  cell('Began', (one) => ago(one.started, lastNow.time), 'num'),
  cell('Used', (one) => ago(one.used, lastNow.time), 'num'),
  endCell('sessions', (one) => one.session_id, 'session'),
];

const TABLES = [
  {
    label: 'Table',
    className: 'name',
    update(td, one) {
      td.replaceChildren(make('span', 'sub', one.schema + '.'), make('span', '', one.name));
    },
  },
  cell('Rows', (one) => count(one.rows), 'num'),
  cell('Files', (one) => count(one.files), 'num'),
  cell('Size', (one) => bytes(one.bytes), 'num'),
  {
    label: 'Share',
    className: 'bar-cell phases',
    update: (td, one) => td.replaceChildren(track([[one.bytes / Math.max(1, lake.total.bytes), '']])),
  },
  cell('A file', (one) => (one.files ? bytes(one.bytes / one.files) : '–'), 'num'),
  cell('Delete files', (one) => count(one.delete_files), 'num'),
];

const SNAPSHOTS = [
  cell('Id', (one) => one.id, 'num'),
  {
    label: 'Change',
    className: 'text',
    update(td, one) {
      const line = make('span');
      line.append(changes(one), ' ');
      if (one.message) line.append(make('span', 'sub', one.message));
      td.replaceChildren(line);
    },
  },
  cell('By', (one) => one.author || '–', 'name'),
  cell('Data', (one) => (one.delta ? signedBytes(one.delta) : '–'), 'num'),
  {
    label: 'When',
    className: 'num',
    update(td, one) {
      say(td, ago(one.time, Date.now()));
      td.title = moment(one.time);
    },
  },
];

/** DuckLake names the tables of a change by their numbers. */
function changes(snapshot) {
  const names = new Map(lake.tables.map((one) => [String(one.id), one.name]));
  return snapshot.changes
    .replaceAll('_', ' ')
    .replace(/:(\d+)/g, (all, id) => (names.has(id) ? ' ' + names.get(id) : ' no. ' + id))
    .replaceAll(':', ' ')
    .replaceAll(',', ', ');
}

// --- the activity ---

function remember(list, value) {
  list.push(value);
  if (list.length > KEPT) list.shift();
}

function showNow(now) {
  lastNow = now;
  const server = now.server;
  say(byId('version'), now.version);
  say(byId('who'), now.user + ' · ' + now.role);
  say(byId('own'), now.role === 'admin' ? '' : 'of yours; an admin sees those of all');
  if (before && now.time > before.time && server.ended >= before.server.ended) {
    const seconds = (now.time - before.time) / 1000;
    remember(series.rate, (server.ended - before.server.ended) / seconds);
    remember(series.sent, (server.sent_bytes - before.server.sent_bytes) / seconds);
    // The last few, as one second says little.
    say(byId('n-rate'), rate(average(series.rate.slice(-5))));
    say(byId('n-sent'), bytes(average(series.sent.slice(-5))));
  }
  before = now;
  remember(series.work, server.at_work + server.streams);
  if (server.engine_bytes !== null) remember(series.memory, server.engine_bytes);
  say(byId('n-work'), count(server.at_work));
  say(byId('n-waiting'), (server.waiting ? server.waiting + ' waiting, ' : '') + server.streams + ' streaming');
  say(byId('n-memory'), bytes(server.engine_bytes));
  say(byId('n-memory-of'), 'of ' + bytes(server.engine_limit));
  spark(byId('s-work'), series.work, KEPT, 4);
  spark(byId('s-rate'), series.rate, KEPT, 1);
  spark(byId('s-sent'), series.sent, KEPT, 1);
  spark(byId('s-memory'), series.memory, KEPT, server.engine_limit / 4);
  showProblems(now.problems);
  showMemory(server);
  if (now.queries) {
    rows(byId('queries'), now.queries, (one) => one.query_id, QUERIES, 'Nothing runs.');
    say(byId('count-queries'), now.queries.length || '');
    const recent = allRecent ? now.recent : now.recent.slice(0, RECENT);
    rows(byId('recent'), recent, (one) => one.query_id, RECENTLY, 'Nothing has ended yet.');
    byId('more').hidden = allRecent || now.recent.length <= RECENT;
    rows(byId('sessions'), now.sessions, (one) => one.session_id, SESSIONS, 'There is no session.');
    say(byId('count-sessions'), now.sessions.length || '');
  }
}

function average(values) {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}

function showProblems(problems) {
  const box = byId('problems');
  box.hidden = problems.length === 0;
  const text = problems.map((one) => one.id + ': ' + one.detail).join('\n');
  if (box.dataset.text === text) return;
  box.dataset.text = text;
  box.replaceChildren(...problems.map((one) => make('p', '', one.id + ': ' + one.detail)));
}

function showMemory(server) {
  say(byId('up'), 'up for ' + duration(server.up_ms));
  const meters = [
    ['Engine', server.engine_bytes, server.engine_limit],
    ['Spilled to disk', server.spilled_bytes, null],
    ['Batches on their way', server.batch_bytes, null],
    ['Kept results', server.kept_bytes, null],
    ['Java heap', server.heap_bytes, server.heap_limit],
  ];
  byId('memory').replaceChildren(
    ...meters.map(([name, value, limit]) => {
      const meter = make('div');
      meter.append(make('dt', '', name), make('dd', '', bytes(value) + (limit ? ' of ' + bytes(limit) : '')));
      if (limit && value !== null) meter.append(track([[value / limit, '']]));
      return meter;
    }),
  );
}

// --- the lake ---

function showLake(content) {
  const note = byId('lake-note');
  if (content.total) lake = content;
  const problem = content.narrowed
    ? 'Your role is narrowed to some tables: the lake as a whole is not shown.'
    : content.ok ? '' : 'The catalog does not answer at this moment.';
  note.hidden = !problem;
  say(note, problem);
  byId('lake-content').hidden = lake === null;
  if (lake === null) return;
  const total = lake.total;
  say(byId('n-bytes'), bytes(total.bytes));
  say(byId('n-files'), count(total.files));
  say(byId('n-average'), total.files ? bytes(total.bytes / total.files) + ' on average' : '');
  say(byId('n-tables'), count(total.tables));
  say(byId('n-old'), bytes(total.old_bytes));
  say(byId('n-old-files'), 'in ' + count(total.old_files) + ' files of earlier snapshots');
  rows(byId('tables'), lake.tables, (one) => one.id, TABLES, 'The lake has no tables yet.');
  say(byId('count-tables'), lake.tables.length < total.tables ? 'the largest ' + lake.tables.length + ' of ' + count(total.tables) : lake.tables.length || '');
  rows(byId('snapshots'), lake.snapshots, (one) => one.id, SNAPSHOTS, 'There are no snapshots.');
  say(byId('count-snapshots'), 'the last ' + lake.snapshots.length);
  showTime();
}

function showTime() {
  if (lake === null || lake.snapshots.length === 0 || byId('view-lake').hidden) return;
  let size = lake.total.bytes;
  const points = lake.snapshots.map((one) => {
    const point = {
      time: one.time,
      value: Math.max(0, size),
      title: 'snapshot ' + one.id + ', ' + moment(one.time) + ': ' + bytes(Math.max(0, size)),
    };
    size -= one.delta;
    return point;
  });
  const now = Math.max(Date.now(), points[0].time);
  say(byId('time-note'), 'with each of the last ' + points.length + ' snapshots');
  overTime(byId('lake-chart'), points.reverse(), now, bytes, (time) => ago(time, now));
}

// --- one statement ---

async function showStatement(item) {
  const facts = [
    ['User', item.user],
    ['Query id', item.query_id],
    ['Kind', item.kind],
    item.outcome ? ['Outcome', item.outcome + (item.cause ? ' (' + item.cause.replaceAll('_', ' ') + ')' : '')] : ['Phase', PHASES[item.phase] || item.phase],
    ['Started', moment(item.started)],
    ['Time', duration(item.elapsed_ms)],
  ];
  byId('d-facts').replaceChildren(
    ...facts.map(([name, value]) => {
      const fact = make('div');
      fact.append(make('dt', '', name), make('dd', '', value));
      return fact;
    }),
  );
  byId('d-sql').textContent = item.sql || '(' + item.kind + ')';
  byId('d-plan').textContent = 'planning…';
  byId('statement').dataset.id = item.query_id;
  byId('statement').showModal();
  let text;
  try {
    const answer = await fetch(HERE + 'statements/' + encodeURIComponent(item.query_id));
    const found = answer.ok ? await answer.json() : { no_plan: await answer.text() };
    if (byId('statement').dataset.id !== item.query_id) return;
    if (found.sql) byId('d-sql').textContent = found.sql;
    text = found.plan || found.no_plan;
  } catch {
    text = 'the server does not answer';
  }
  byId('d-plan').textContent = text;
}

// --- the stream ---

function listen() {
  source = new EventSource('events');
  source.addEventListener('now', (event) => {
    heard = Date.now();
    showNow(JSON.parse(event.data));
  });
  source.addEventListener('lake', (event) => {
    showLake(JSON.parse(event.data));
  });
}

function watch() {
  if (document.hidden) return;
  const isLive = Date.now() - heard < SILENCE_MS;
  byId('live').classList.toggle('on', isLive);
  say(byId('live'), isLive ? 'live' : 'no answer, trying again…');
  if (source === null || source.readyState === EventSource.CLOSED) {
    if (Date.now() - heard > AGAIN_MS) listen();
  }
}

function hush() {
  // Nothing is asked for a page that nobody sees.
  if (document.hidden && source !== null) {
    source.close();
    source = null;
    heard = 0;
    before = null;
  } else {
    watch();
  }
}

function route() {
  const isLake = location.hash === '#lake';
  byId('view-lake').hidden = !isLake;
  byId('view-activity').hidden = isLake;
  for (const link of document.querySelectorAll('nav a')) {
    if ((link.hash === '#lake') === isLake) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  document.title = (isLake ? 'Lake' : 'Activity') + ' · ducklake-flight';
  showTime();
}

byId('d-close').addEventListener('click', () => byId('statement').close());
byId('more').addEventListener('click', () => {
  allRecent = true;
  if (lastNow) showNow({ ...lastNow });
});
addEventListener('hashchange', route);
addEventListener('resize', showTime);
document.addEventListener('visibilitychange', hush);
route();
listen();
setInterval(watch, 1000);
