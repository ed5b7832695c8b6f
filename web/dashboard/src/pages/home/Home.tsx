import { Redirect } from 'wouter';
import { useSession } from '../../app/session';
import { lastWorkspace } from '../../app/workspace';

/** Goes on where the reader was last. */
export default function Home() {
  const { workspaces } = useSession();
  const last = workspaces.find(({ slug }) => slug === lastWorkspace()) ?? workspaces[0];
  return <Redirect to={last ? `/w/${last.slug}` : '/workspaces'} replace />;
}
