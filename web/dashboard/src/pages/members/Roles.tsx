import { Title } from '../../app/Title';
import { isAtLeast, useWorkspace } from '../../app/workspace';
import { useMessages } from '../../i18n/catalogue';
import { Card } from '../../ui/Card';
import { Icon } from '../../ui/Icon';
import { Table } from '../../ui/Table';
import { MESSAGES } from './messages';
import { ACTIONS, type Action, LEAST, ROLES } from './table';

/** What each role may do. */
export default function Roles() {
  const t = useMessages(MESSAGES);
  const { viewerRole } = useWorkspace();
  return (
    <>
      <Title>{t.rolesTitle}</Title>
      <Card>
        <p>{t.yourRole(t.roles[viewerRole])}</p>
        <Table
          caption={t.rolesTitle}
          rows={ACTIONS}
          id={(action) => action}
          columns={[
            { key: 'action', title: t.mayDo, cell: (action: Action) => t.actions[action] },
            ...ROLES.map((role) => ({
              key: role,
              title: t.roles[role],
              cell: (action: Action) =>
                isAtLeast(role, LEAST[action]) ? (
                  <>
                    <Icon name="check" />
                    <span className="unseen">{t.yes}</span>
                  </>
                ) : (
                  <span>
                    <span aria-hidden="true">–</span>
                    <span className="unseen">{t.no}</span>
                  </span>
                ),
            })),
          ]}
        />
      </Card>
    </>
  );
}
