// Numbers and times as text, with their units.

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];

export function bytes(value) {
  if (value === null || value === undefined) return '–';
  let size = Math.abs(value);
  let unit = 0;
  while (size >= 999.5 && unit < UNITS.length - 1) {
    size /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || size >= 99.5 ? 0 : 1;
  return (value < 0 ? '−' : '') + size.toFixed(digits) + ' ' + UNITS[unit];
}

export function signedBytes(value) {
  return value > 0 ? '+' + bytes(value) : bytes(value);
}

export function count(value) {
  return value === null || value === undefined ? '–' : value.toLocaleString('en-US');
}

export function duration(ms) {
  if (ms < 9.95) return ms.toFixed(1) + ' ms';
  if (ms < 1000) return Math.round(ms) + ' ms';
  if (ms < 60000) return (ms / 1000).toFixed(ms < 9950 ? 2 : 1) + ' s';
  const seconds = Math.floor(ms / 1000);
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return minutes + ' min ' + (seconds % 60) + ' s';
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return hours + ' h ' + (minutes % 60) + ' min';
  return Math.floor(hours / 24) + ' d ' + (hours % 24) + ' h';
}

export function ago(time, now) {
  const seconds = Math.max(0, Math.round((now - time) / 1000));
  if (seconds < 2) return 'now';
  if (seconds < 60) return seconds + ' s ago';
  if (seconds < 3600) return Math.floor(seconds / 60) + ' min ago';
  if (seconds < 48 * 3600) return Math.floor(seconds / 3600) + ' h ago';
  return Math.floor(seconds / 86400) + ' d ago';
}

export function moment(time) {
  return new Date(time).toISOString().replace('T', ' ').slice(0, 19) + ' UTC';
}

export function rate(value) {
  return value >= 99.5 ? count(Math.round(value)) : value.toFixed(1);
}
