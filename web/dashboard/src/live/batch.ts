/** Nobody reads more than ten lists a second; drawing them would take the time that scrolling and typing need. */
const PAUSE = 100;

interface Times {
  schedule: (work: () => void) => void;
  later: (work: () => void, milliseconds: number) => void;
  now: () => number;
}

const REAL: Times = {
  schedule: nextFrame,
  later: (work, milliseconds) => void setTimeout(work, milliseconds),
  now: () => performance.now(),
};

/** Collects items and delivers them together: the first with the next frame, what follows within the pause after it. */
export function batching<Item>(deliver: (items: Item[]) => void, { schedule, later, now }: Times = REAL) {
  let waiting: Item[] = [];
  let next = 0;
  const flush = () => {
    const items = waiting;
    waiting = [];
    next = now() + PAUSE;
    deliver(items);
  };
  return (item: Item) => {
    waiting.push(item);
    if (waiting.length > 1) return;
    const left = next - now();
    if (left > 0) later(() => schedule(flush), left);
    else schedule(flush);
  };
}

/** A hidden page is given no frames, and shall not collect for hours. */
function nextFrame(work: () => void) {
  if (document.visibilityState === 'hidden') {
    setTimeout(work, 500);
  } else {
    let isDone = false;
    const once = () => {
      if (!isDone) {
        isDone = true;
        work();
      }
    };
    requestAnimationFrame(once);
    setTimeout(once, 500);
  }
}
