/** Collects items and delivers them together, once a frame: two hundred a second are no more work than sixty. */
export function batching<Item>(deliver: (items: Item[]) => void, schedule: (work: () => void) => void = nextFrame) {
  let waiting: Item[] = [];
  return (item: Item) => {
    waiting.push(item);
    if (waiting.length === 1) {
      schedule(() => {
        const items = waiting;
        waiting = [];
        deliver(items);
      });
    }
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
