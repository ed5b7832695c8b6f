/** A presigned way to the bucket, as `createUpload` answers it. */
export interface Target {
  url: string;
  headers: readonly Header[];
  /** Of a large file: each goes to an URL of its own. */
  parts: readonly Part[] | null;
}

interface Header {
  name: string;
  value: string;
}

interface Part {
  offset: number;
  size: number;
  url: string;
  headers: readonly Header[];
}

export interface Watched {
  /** Hears how much has been sent, from 0 to 1. */
  onProgress?: (share: number) => void;
  signal?: AbortSignal;
}

type Put = (
  part: Omit<Part, 'offset' | 'size'>,
  body: Blob,
  onSent: (bytes: number) => void,
  signal?: AbortSignal,
) => Promise<number>;

const AT_ONCE = 3;
const ATTEMPTS = 4;
/** Only who has sent it already is told that: the answer was lost. */
const IS_THERE = 412;

/** Sends the bytes, in parts where there are parts, and each again that did not arrive; throws when one never does. */
export async function send(
  target: Target,
  file: Blob,
  { onProgress, signal }: Watched = {},
  by: Put = put,
  pause = 500,
) {
  const parts = target.parts ?? [{ offset: 0, size: file.size, url: target.url, headers: target.headers }];
  const sent = new Map<Part, number>();
  const waiting = [...parts];

  async function sendNext(): Promise<void> {
    const part = waiting.shift();
    if (!part) return;
    await insisted(part);
    await sendNext();
  }

  async function insisted(part: Part) {
    for (let attempt = 1; ; attempt += 1) {
      const status = await by(part, file.slice(part.offset, part.offset + part.size), tell(part), signal).catch(
        () => 0,
      );
      if ((status >= 200 && status < 300) || status === IS_THERE) return;
      signal?.throwIfAborted();
      if (attempt === ATTEMPTS || (status >= 400 && status < 500)) throw new Error(`The bucket answers ${status}`);
      await new Promise((done) => setTimeout(done, pause * 2 ** attempt));
    }
  }

  const tell = (part: Part) => (bytes: number) => {
    sent.set(part, bytes);
    onProgress?.([...sent.values()].reduce((sum, each) => sum + each, 0) / Math.max(file.size, 1));
  };

  await Promise.all(Array.from({ length: AT_ONCE }, sendNext));
}

/** `fetch` does not tell how much it has sent. */
const put: Put = ({ url, headers }, body, onSent, signal) =>
  new Promise((answered, failed) => {
    const request = new XMLHttpRequest();
    request.open('PUT', url);
    for (const { name, value } of headers) {
      // The browser says that itself.
      if (name.toLowerCase() !== 'content-length') request.setRequestHeader(name, value);
    }
    request.upload.onprogress = ({ loaded }) => onSent(loaded);
    request.onload = () => answered(request.status);
    request.onerror = request.onabort = () => failed(new Error('The bucket cannot be reached'));
    signal?.addEventListener('abort', () => request.abort(), { once: true });
    request.send(body);
  });

const BY_ENDING: Record<string, string> = {
  csv: 'text/csv',
  eml: 'message/rfc822',
  json: 'application/json',
  jsonl: 'application/x-ndjson',
  ndjson: 'application/x-ndjson',
  tab: 'text/tab-separated-values',
  tsv: 'text/tab-separated-values',
  txt: 'text/plain',
  xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
};

/** What a file is: by its ending, of which systems have ideas of their own, and otherwise as the browser says. */
export function typeOf({ name, type }: { name: string; type: string }): string {
  const ending = name.slice(name.lastIndexOf('.') + 1).toLowerCase();
  return (BY_ENDING[ending] ?? type) || 'application/octet-stream';
}

/** Its SHA-256 in hex; undefined where browsers do not reckon it (no HTTPS), or all of it would have to be in memory. */
export async function checksum(file: Blob, most: number): Promise<string | undefined> {
  if (file.size > most || !globalThis.crypto?.subtle) return undefined;
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', await file.arrayBuffer()));
  return [...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
