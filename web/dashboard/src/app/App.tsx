import { type ReactNode, Suspense } from 'react';
import { Redirect, useLocation, useParams, useSearch, Route as Wouter } from 'wouter';
import { LanguageProvider } from '../i18n/language';
import { Failed, Loading } from '../ui/states';
import { ToastProvider } from '../ui/toast';
import { Crash } from './Crash';
import { NotForYou, NotFound } from './NotFound';
import { ours } from './ours';
import type { Role } from './page';
import { type Route, routeOf } from './routes';
import { Shell } from './Shell';
import { SessionProvider, useSession } from './session';
import { useTop } from './top';
import { isAtLeast, useWorkspace, WorkspaceProvider } from './workspace';

export function App() {
  return (
    <LanguageProvider>
      <Suspense>
        <Crash>
          <ToastProvider>
            <SessionProvider waiting={null} failed={(retry) => <Failed retry={retry} />}>
              <Pages />
            </SessionProvider>
          </ToastProvider>
        </Crash>
      </Suspense>
    </LanguageProvider>
  );
}

/** One element for all pages: what is around them stays as it is when one goes to another. */
function Pages() {
  const [path] = useLocation();
  const route = routeOf(path);
  useTop();
  return route ? (
    <Wouter path={route.path}>
      <Guarded route={route} />
    </Wouter>
  ) : (
    <Shell>
      <NotFound />
    </Shell>
  );
}

/** Lets in whom the page is for, and sends others where they belong. */
function Guarded({ route: { access, role, Component } }: { route: Route }) {
  const { user } = useSession();
  const [path] = useLocation();
  const search = useSearch();
  if (access === 'signed-out' && user) {
    return <Redirect to={ours(new URLSearchParams(search).get('to'))} replace />;
  }
  if ((access === 'signed-in' || access === 'workspace') && !user) {
    const to = `${path}${search && `?${search}`}`;
    return <Redirect to={to === '/' ? '/login' : `/login?to=${encodeURIComponent(to)}`} replace />;
  }
  const content = (
    <Shell>
      <Crash key={path}>
        <Suspense fallback={<Loading lines={6} />}>
          {role ? (
            <ForRole role={role}>
              <Component />
            </ForRole>
          ) : (
            <Component />
          )}
        </Suspense>
      </Crash>
    </Shell>
  );
  return access === 'workspace' ? <InWorkspace>{content}</InWorkspace> : content;
}

/** What is hidden from who has less, by its address too; the server refuses it anyway. */
function ForRole({ role, children }: { role: Role; children: ReactNode }) {
  return isAtLeast(useWorkspace().viewerRole, role) ? children : <NotForYou />;
}

function InWorkspace({ children }: { children: ReactNode }) {
  const { workspaces } = useSession();
  const { slug } = useParams<{ slug: string }>();
  const workspace = workspaces.find((each) => each.slug === slug);
  if (!workspace) {
    return (
      <Shell>
        <NotFound />
      </Shell>
    );
  }
  return (
    <WorkspaceProvider key={workspace.id} workspace={workspace}>
      {children}
    </WorkspaceProvider>
  );
}
