import { createContext, type ReactNode, use, useCallback, useDeferredValue, useEffect, useMemo, useState } from 'react';
import { Provider, useQuery } from 'urql';
import type { SessionQuery } from '../gql/graphql';
import { createClient } from '../graph/client';
import { forgetEarly } from '../graph/early';
import { post } from '../graph/post';
import { renew } from '../graph/renewal';
import { createSocket, type Socket } from '../graph/socket';
import { returned } from '../live/returned';
import { register } from '../offline/register';
import { seen } from '../offline/seen';
import { useSeenSince } from '../offline/useSeen';
import { SESSION } from './question';

type Viewer = NonNullable<SessionQuery['viewer']>;
export type User = NonNullable<Viewer['user']>;
export type MyWorkspace = Viewer['workspaces'][number];

export interface Session {
  /** Null where nobody is signed in. */
  user: User | null;
  workspaces: readonly MyWorkspace[];
  /** Set when a session has ended by itself: the sign-in page says so. */
  hasEnded: boolean;
  socket: Socket;
  /** Somebody else may be signed in now: begin anew, in all tabs. */
  changed(): void;
}

const LOOK_AGAIN = 4_000;

const Context = createContext<Session | null>(null);
const tabs = 'BroadcastChannel' in globalThis ? new BroadcastChannel('earful-session') : undefined;

/** Who is signed in, and a client of theirs; everything below begins anew with the next. */
export function SessionProvider({ waiting, failed, children }: SessionProviderProps) {
  const [{ turn, hasEnded }, begin] = useState({ turn: 0, hasEnded: false });
  const anew = useCallback((hasEnded: boolean) => {
    void seen.forget();
    forgetEarly();
    begin((now) => ({ turn: now.turn + 1, hasEnded }));
  }, []);
  const onEnd = useCallback(() => anew(true), [anew]);
  const changed = useCallback(() => {
    anew(false);
    tabs?.postMessage('changed');
  }, [anew]);
  useEffect(() => {
    const heard = () => anew(false);
    tabs?.addEventListener('message', heard);
    return () => tabs?.removeEventListener('message', heard);
  }, [anew]);
  useReturn(useCallback(() => begin(({ turn }) => ({ turn: turn + 1, hasEnded: false })), []));
  return (
    <SignIn key={turn} hasEnded={hasEnded} onEnd={onEnd} changed={changed} waiting={waiting} failed={failed}>
      {children}
    </SignIn>
  );
}

/** Calls back when the server is there again, for who is shown what was seen last. */
function useReturn(onReturn: () => void) {
  const isOffline = useSeenSince() !== undefined;
  useEffect(() => {
    if (!isOffline) return;
    let isAsking = false;
    const look = async () => {
      if (isAsking) return;
      isAsking = true;
      const answer = await post(SESSION).catch(() => undefined);
      isAsking = false;
      if (answer?.data && seen.since() !== undefined) {
        seen.over();
        onReturn();
      }
    };
    const timer = setInterval(look, LOOK_AGAIN);
    window.addEventListener('online', look);
    return () => {
      clearInterval(timer);
      window.removeEventListener('online', look);
    };
  }, [isOffline, onReturn]);
}

interface SessionProviderProps {
  waiting: ReactNode;
  /** What is shown while the server cannot be reached. */
  failed: (retry: () => void) => ReactNode;
  children: ReactNode;
}

interface SignInProps extends SessionProviderProps {
  hasEnded: boolean;
  onEnd: () => void;
  changed: () => void;
}

function SignIn({ hasEnded, onEnd, changed, waiting, failed, children }: SignInProps) {
  const [socket] = useState(() => createSocket(onEnd));
  const [client] = useState(() => createClient(socket, onEnd));
  useEffect(() => () => socket.dispose(), [socket]);
  return (
    <Provider value={client}>
      <Asked socket={socket} hasEnded={hasEnded} changed={changed} waiting={waiting} failed={failed}>
        {children}
      </Asked>
    </Provider>
  );
}

function Asked({
  socket,
  hasEnded,
  changed,
  waiting,
  failed,
  children,
}: Omit<SignInProps, 'onEnd'> & { socket: Socket }) {
  const [answer, ask] = useQuery({ query: SESSION });
  // All that is below is drawn in slices.
  const { data, error, fetching } = useDeferredValue(answer);
  // An access token lasts ten minutes: who comes back later has only the other one.
  const [renewal, setRenewal] = useState<'open' | 'done'>(hasEnded ? 'done' : 'open');
  const isNobody = data !== undefined && !data.viewer?.user;
  useEffect(() => {
    if (isNobody && renewal === 'open') {
      void renew().then((answer) => {
        setRenewal('done');
        if (answer === 'renewed') ask({ requestPolicy: 'network-only' });
      });
    }
  }, [isNobody, renewal, ask]);
  const isSomebody = data !== undefined && !isNobody;
  const isOver = isNobody && renewal === 'done' && !fetching;
  useEffect(() => {
    if (isSomebody) register();
    if (isOver) void seen.forget();
  }, [isSomebody, isOver]);

  const session = useMemo<Session>(
    () => ({
      user: data?.viewer?.user ?? null,
      workspaces: data?.viewer?.workspaces ?? [],
      hasEnded,
      socket,
      changed,
    }),
    [data, hasEnded, socket, changed],
  );
  if (error && !data) return failed(() => ask({ requestPolicy: 'network-only' }));
  if (!data || (isNobody && (renewal === 'open' || fetching))) return waiting;
  return <Context value={session}>{children}</Context>;
}

export function useSession(): Session {
  const session = use(Context);
  if (!session) throw new Error('There is no session around this');
  return session;
}

/** Calls back when a connection that was lost is back; where nobody is signed in there is none. */
export function useReturned(onReturn: () => void) {
  const socket = use(Context)?.socket;
  useEffect(() => (socket ? returned(socket, onReturn) : undefined), [socket, onReturn]);
}

/** The person who is signed in, on pages that nobody else sees. */
export function useUser(): User {
  const { user } = useSession();
  if (!user) throw new Error('Nobody is signed in');
  return user;
}
