import { type ReactNode, useEffect, useState } from 'react';
import { Link, useLocation, useParams } from 'wouter';
import { graphql } from '../gql';
import { useMutate } from '../graph/useMutate';
import { LANGUAGES, type Language, useLanguage } from '../i18n/language';
import { Offline } from '../offline/Offline';
import { Button, IconButton } from '../ui/Button';
import { Icon } from '../ui/Icon';
import { Light } from './Light';
import { useLeft, useRemembering } from './left';
import { useShellMessages } from './messages';
import type { Navigation } from './page';
import { LISTED } from './routes';
import styles from './Shell.module.css';
import { useSession } from './session';
import { THEMES, useTheme } from './theme';
import { isAtLeast } from './workspace';

const SIGN_OUT = graphql(`
  mutation SignOut {
    logout {
      __typename
    }
  }
`);

/** What is around every page: the way to the others, and who and where one is. */
export function Shell({ children }: { children: ReactNode }) {
  const t = useShellMessages();
  const { user } = useSession();
  const { slug } = useParams<{ slug?: string }>();
  const [path] = useLocation();
  const [isOpen, setOpen] = useState(false);
  // biome-ignore lint/correctness/useExhaustiveDependencies: who has arrived needs the menu no more
  useEffect(() => setOpen(false), [path]);
  return (
    <div className={styles.shell} data-signed-in={user ? true : undefined}>
      <a className={`unseen ${styles.skip}`} href="#content">
        {t.skip}
      </a>
      <header className={styles.bar}>
        {user && (
          <IconButton
            className={styles.menu}
            icon={isOpen ? 'cross' : 'menu'}
            label={isOpen ? t.closeMenu : t.menu}
            aria-expanded={isOpen}
            aria-controls="navigation"
            onClick={() => setOpen(!isOpen)}
          />
        )}
        <Link href="/" className={styles.name}>
          <Ear />
          Earful
        </Link>
        {slug && user && <Light />}
        <Preferences />
      </header>
      {user && (
        <nav
          id="navigation"
          aria-label={t.menu}
          className={styles.side}
          data-open={isOpen || undefined}
          onKeyDown={(event) => event.key === 'Escape' && setOpen(false)}
        >
          <Switcher slug={slug} />
          <Groups slug={slug} />
          <SignOut />
        </nav>
      )}
      <main id="content" className={styles.content} tabIndex={-1}>
        <Offline />
        {children}
      </main>
    </div>
  );
}

function Ear() {
  return (
    <svg className={styles.ear} viewBox="0 0 32 32" width="28" height="28" fill="none" aria-hidden="true">
      <rect width="32" height="32" rx="9" fill="var(--accent)" />
      <g stroke="var(--accent-ink)" strokeWidth="2.6" strokeLinecap="round" strokeLinejoin="round">
        <path d="M9.5 13.5a6.5 6.5 0 0 1 13 0c0 5-4.500 5.200-4.500 9a3.200 3.200 0 0 1-6.200 1.100" />
        <path d="M13 13.700a3 3 0 0 1 6 0c0 1.800-1.700 2.200-1.700 3.600" />
      </g>
    </svg>
  );
}

function Switcher({ slug }: { slug: string | undefined }) {
  const t = useShellMessages();
  const { workspaces } = useSession();
  const [, go] = useLocation();
  return (
    <label className={styles.switcher}>
      <span className="unseen">{t.workspace}</span>
      <select value={slug ?? ''} onChange={({ target: { value } }) => go(value ? `/w/${value}` : '/workspaces')}>
        {workspaces.map((each) => (
          <option key={each.id} value={each.slug}>
            {each.name}
          </option>
        ))}
        <option value="">{t.allWorkspaces}</option>
      </select>
    </label>
  );
}

const GROUPS: readonly Navigation['group'][] = ['workspace', 'admin', 'account'];

function Groups({ slug }: { slug: string | undefined }) {
  const t = useShellMessages();
  const { workspaces } = useSession();
  const [path] = useLocation();
  const left = useLeft();
  useRemembering();
  const role = workspaces.find((each) => each.slug === slug)?.viewerRole;
  const links = LISTED.filter(({ path: to, role: least }) => {
    const isOfWorkspace = to.includes(':slug');
    return (!isOfWorkspace || role) && (!least || (role && isAtLeast(role, least)));
  });
  return GROUPS.map((group) => {
    const listed = links.filter((each) => each.group === group);
    return (
      listed.length > 0 && (
        <section key={group}>
          <h2 className={styles.group}>{t.groups[group]}</h2>
          <ul className={styles.links}>
            {listed.map(({ path: pattern, icon, label }) => {
              const to = pattern.replace(':slug', slug ?? '');
              return (
                <li key={pattern}>
                  <Link
                    href={path === to ? to : left(to)}
                    className={styles.link}
                    aria-current={path === to ? 'page' : undefined}
                  >
                    <Icon name={icon} />
                    {t.navigation[label]}
                  </Link>
                </li>
              );
            })}
          </ul>
        </section>
      )
    );
  });
}

function SignOut() {
  const t = useShellMessages();
  const { user, changed } = useSession();
  const signOut = useMutate(SIGN_OUT);
  return (
    <div className={styles.person}>
      <span className={styles.email}>{user?.email}</span>
      <Button kind="quiet" icon="exit" onClick={() => void signOut({}).then(changed)}>
        {t.signOut}
      </Button>
    </div>
  );
}

function Preferences() {
  const t = useShellMessages();
  const { language, speak } = useLanguage();
  const [theme, setTheme] = useTheme();
  return (
    <div className={styles.preferences}>
      <label>
        <span className="unseen">{t.language}</span>
        <select value={language} onChange={(event) => speak(event.target.value as Language)}>
          {Object.entries(LANGUAGES).map(([code, name]) => (
            <option key={code} value={code} lang={code}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <label>
        <span className="unseen">{t.theme.label}</span>
        <select value={theme} onChange={(event) => setTheme(event.target.value as (typeof THEMES)[number])}>
          {THEMES.map((each) => (
            <option key={each} value={each}>
              {t.theme[each]}
            </option>
          ))}
        </select>
      </label>
    </div>
  );
}
