import type { Client } from '@urql/core';
import { graphql } from '../gql';
import type { FeedbackFeedSubscription } from '../gql/graphql';
import type { Socket } from '../graph/socket';
import { textOf } from '../graph/text';
import { batching } from './batch';
import { onPlace } from './places';
import { recent } from './recent';

export const FEEDBACK_ROW = graphql(`
  fragment FeedbackRow on Feedback {
    id
    body
    rating
    occurredAt
    receivedAt
    status
    assignee {
      memberId
      name
    }
    author {
      name
    }
    source {
      id
      name
    }
    sentiment {
      label
      score
      confidence
    }
    tags {
      id
      name
      color
    }
  }
`);

const PLACE = graphql(`
  query FeedbackPlace($slug: String!) {
    workspace(slug: $slug) {
      id
      feedbackCursor
    }
  }
`);

const FEED = graphql(`
  subscription FeedbackFeed($workspaceId: ID!, $after: String) {
    feedbackEvents(workspaceId: $workspaceId, after: $after) {
      ... on FeedbackEvent {
        cursor
        type
        feedback {
          ...FeedbackRow
        }
      }
      ... on StreamGap {
        cursor
      }
    }
  }
`);

type Item = NonNullable<FeedbackFeedSubscription['feedbackEvents']>;
export type FeedbackChange = Extract<Item, { __typename: 'FeedbackEvent' }>;

/** What the light says: nothing is known before the first connection, which is `catching-up` too. */
export type Light = 'live' | 'catching-up' | 'gap' | 'offline';

export interface Listener {
  /** At most ten times a second, in order. */
  onChanges(changes: readonly FeedbackChange[]): void;
  /** Some are missing: read again what was read before. */
  onGap(): void;
}

/** How long after the last event of a replay it is taken to be over, where its end is not met. */
const QUIET = 1_500;
const GAP_SHOWN = 8_000;
const RETRY = 2_000;
const REMEMBERED = 2_000;
/** A list that was asked for before the feed began is answered within this time. */
const OVERLAP = 30_000;

/** Everything that happens to a workspace's feedback: one subscription, whoever listens; it survives what connections do. */
export class Feed {
  light: Light = 'catching-up';
  private readonly listeners = new Set<Listener>();
  private readonly watchers = new Set<() => void>();
  private readonly seen = new Set<string>();
  private last: string | undefined;
  private target: string | undefined;
  private lighting: ReturnType<typeof setTimeout> | undefined;
  private beginning: ReturnType<typeof setTimeout> | undefined;
  private begun: number | undefined;
  private readonly waiting = new Set<() => void>();
  private readonly expecting = new Set<ReturnType<typeof setTimeout>>();
  private stop = () => {};
  private isOver = false;
  private readonly unwatch: () => void;
  private readonly client: Client;
  private readonly socket: Socket;
  private readonly workspace: { id: string; slug: string };
  private readonly recent = recent<FeedbackChange>();
  private readonly deliver = batching<FeedbackChange>((changes) => {
    this.recent.keep(changes);
    for (const listener of this.listeners) listener.onChanges(changes);
  });

  constructor(client: Client, socket: Socket, workspace: { id: string; slug: string }) {
    this.client = client;
    this.socket = socket;
    this.workspace = workspace;
    const unwatch = socket.watch(() => this.connectionChanged());
    const unhear = onPlace((id, place) => id === workspace.id && this.cover(place));
    this.unwatch = () => {
      unwatch();
      unhear();
    };
    void this.begin();
  }

  /** Who is late (what it shows was asked for before) is told the last minute first. */
  listen(listener: Listener, isLate = false): () => void {
    this.listeners.add(listener);
    const missed = isLate ? this.recent.all() : [];
    if (missed.length) listener.onChanges(missed);
    return () => this.listeners.delete(listener);
  }

  /** Calls back when it has begun, or at once: what was read before, without a place beside it, may be of before. */
  begins(onBegin: () => void): () => void {
    if (this.hasBegun) onBegin();
    else this.waiting.add(onBegin);
    return () => this.waiting.delete(onBegin);
  }

  watch(onChange: () => void): () => void {
    this.watchers.add(onChange);
    return () => this.watchers.delete(onChange);
  }

  close() {
    this.isOver = true;
    clearTimeout(this.lighting);
    clearTimeout(this.beginning);
    for (const timer of this.expecting) clearTimeout(timer);
    this.unwatch();
    this.stop();
  }

  private async begin() {
    this.beginning = undefined;
    // A list may be answered meanwhile, and is to be followed from its place.
    const place = this.last ?? (await this.place());
    this.last ??= place;
    if (this.isOver) return;
    if (this.last === undefined) {
      // Without a place to begin at, what happens before the first event could be missed.
      this.beginLater();
      return;
    }
    if (this.begun === undefined) {
      this.begun = performance.now();
      this.remember(this.last);
      for (const onBegin of this.waiting) onBegin();
    }
    const variables = { workspaceId: this.workspace.id, after: this.last };
    this.stop = this.socket.subscribe<FeedbackFeedSubscription>(textOf(FEED, variables), {
      next: ({ data }) => data && this.take(data.feedbackEvents),
      error: () => this.again(),
      complete: () => this.again(),
    });
    // A connection that others have opened is not going to change.
    if (this.socket.state() === 'open') void this.catchUp();
  }

  get hasBegun() {
    return this.begun !== undefined;
  }

  /** Of a list that was read beside this place nothing is missed: it is begun there, or the list is read again. */
  private cover(place: string) {
    if (this.begun === undefined) this.last ??= place;
    else if (performance.now() - this.begun < OVERLAP) this.expect(place);
  }

  /** A place that is not passed soon is before the one that was begun at. */
  private expect(place: string) {
    if (this.seen.has(place)) return;
    const timer = setTimeout(() => {
      this.expecting.delete(timer);
      if (this.light !== 'live') this.expect(place);
      else if (!this.seen.has(place)) this.tellGap();
    }, QUIET);
    this.expecting.add(timer);
  }

  private tellGap() {
    for (const listener of this.listeners) listener.onGap();
  }

  /** It was ended by the server (a role that changed, a time-out), and goes on where it was. */
  private again() {
    if (!this.isOver) this.beginLater();
  }

  private beginLater() {
    clearTimeout(this.lighting);
    this.become('offline');
    this.beginning = setTimeout(() => void this.begin(), RETRY);
  }

  private take(item: Item) {
    this.last = item.cursor;
    if (item.__typename === 'StreamGap') {
      this.remember(item.cursor);
      this.tellGap();
      this.become('gap');
      this.after(GAP_SHOWN, () => this.become('live'));
      return;
    }
    if (this.seen.has(item.cursor)) return;
    this.remember(item.cursor);
    this.deliver(item);
    if (this.light === 'catching-up') this.approach();
  }

  private remember(cursor: string) {
    this.seen.add(cursor);
    if (this.seen.size > REMEMBERED) {
      const [oldest] = this.seen;
      if (oldest !== undefined) this.seen.delete(oldest);
    }
  }

  private connectionChanged() {
    clearTimeout(this.lighting);
    if (this.socket.state() === 'open') {
      void this.catchUp();
    } else {
      this.become(this.socket.state() === 'offline' ? 'offline' : 'catching-up');
    }
  }

  /** Live is who has seen the event that was the newest when the connection was there. */
  private async catchUp() {
    // Whoever is not listening is not live, whatever the connection is.
    if (this.beginning !== undefined) return;
    this.become('catching-up');
    this.target = undefined;
    this.target = await this.place();
    if (this.light === 'catching-up') this.approach();
  }

  private approach() {
    if (this.target !== undefined && this.last === this.target) {
      clearTimeout(this.lighting);
      this.become('live');
    } else {
      this.after(QUIET, () => this.socket.state() === 'open' && this.become('live'));
    }
  }

  private async place(): Promise<string | undefined> {
    const { data } = await this.client
      .query(PLACE, { slug: this.workspace.slug }, { requestPolicy: 'network-only' })
      .toPromise();
    return data?.workspace?.feedbackCursor ?? undefined;
  }

  private after(milliseconds: number, work: () => void) {
    clearTimeout(this.lighting);
    this.lighting = setTimeout(work, milliseconds);
  }

  private become(light: Light) {
    if (this.light !== light) {
      this.light = light;
      for (const watcher of this.watchers) watcher();
    }
  }
}
