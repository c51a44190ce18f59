// services/whatsappApi.ts

const API_BASE = import.meta.env.VITE_WHATSAPP_SERVICE_URL;

interface ApiResponse<T> {
  success: boolean;
  data?: T;
  error?: string;
  message?: string;
  timestamp: string;
  correlationId: string;
}

// Helper for API calls
async function apiCall<T>(
  endpoint: string,
  options?: RequestInit
): Promise<ApiResponse<T>> {
  const response = await fetch(`${API_BASE}${endpoint}`, {
    headers: {
      'Content-Type': 'application/json',
      ...options?.headers,
    },
    ...options,
  });
  return response.json();
}

// ============ Phone Numbers ============

export async function listPhoneNumbers(userId: string) {
  return apiCall<PhoneNumber[]>(`/api/v1/phone-numbers?user_id=${userId}`);
}

// ============ Templates ============

export async function listTemplates(phoneNumberId: string) {
  return apiCall<Template[]>(`/api/v1/templates?phone_number_id=${phoneNumberId}`);
}

export async function getTemplate(templateId: string) {
  return apiCall<{ template: Template; variables: Variable[]; analytics: Analytics }>(
    `/api/v1/templates/${templateId}`
  );
}

export async function createTemplate(data: CreateTemplateRequest) {
  return apiCall<Template>('/api/v1/templates', {
    method: 'POST',
    body: JSON.stringify(data),
  });
}

export async function submitTemplate(templateId: string) {
  return apiCall<Template>(`/api/v1/templates/${templateId}/submit`, {
    method: 'POST',
  });
}

export async function syncTemplates(userId: string, phoneNumberId: string) {
  return apiCall<SyncResult>('/api/v1/templates/sync', {
    method: 'POST',
    body: JSON.stringify({ user_id: userId, phone_number_id: phoneNumberId }),
  });
}

export async function deleteTemplate(templateId: string) {
  return apiCall<void>(`/api/v1/templates/${templateId}`, {
    method: 'DELETE',
  });
}

// ============ Button Analytics ============

export async function getTemplateButtonClicks(templateId: string) {
  return apiCall<ButtonAnalytics>(`/api/v1/templates/${templateId}/button-clicks`);
}

export async function listButtonClicks(userId: string, options?: { templateId?: string; limit?: number; offset?: number }) {
  const params = new URLSearchParams({ user_id: userId });
  if (options?.templateId) params.append('template_id', options.templateId);
  if (options?.limit) params.append('limit', String(options.limit));
  if (options?.offset) params.append('offset', String(options.offset));
  
  return apiCall<ButtonClick[]>(`/api/v1/button-clicks?${params}`);
}

export async function getLeadButtonActivity(customerPhone: string, userId: string) {
  return apiCall<LeadActivity>(`/api/v1/leads/${encodeURIComponent(customerPhone)}/button-activity?user_id=${userId}`);
}

// ============ Messaging ============

export async function sendMessage(data: SendMessageRequest) {
  return apiCall<SendMessageResponse>('/api/v1/send', {
    method: 'POST',
    body: JSON.stringify(data),
  });
}

export async function createCampaign(data: CreateCampaignRequest) {
  return apiCall<Campaign>('/api/v1/campaign', {
    method: 'POST',
    body: JSON.stringify(data),
  });
}

export async function getCampaignStatus(campaignId: string) {
  return apiCall<CampaignStatus>(`/api/v1/campaign/${campaignId}`);
}

// ============ Webchat / Widget ============

export async function createWebchatChannel(data: { user_id: string; prompt_id: string; name: string }) {
  return apiCall<WebchatChannel>('/api/v1/webchat/channels', {
    method: 'POST',
    body: JSON.stringify(data),
  });
}

export async function listWebchatChannels(userId: string) {
  return apiCall<{ channels: WebchatChannel[]; count: number }>(`/api/v1/webchat/channels?user_id=${userId}`);
}

export async function getWebchatEmbed(webchatId: string) {
  return apiCall<WebchatEmbed>(`/api/v1/webchat/channels/${webchatId}/embed`);
}

export async function deleteWebchatChannel(webchatId: string) {
  return apiCall<void>(`/api/v1/webchat/channels/${webchatId}`, {
    method: 'DELETE',
  });
}
